//! Merge leases: who may merge in a project, and until when.

use domain::{
    id::{JobId, PipelineId},
    name::ProjectKey,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{self, Damage};
use crate::{
    error::{Doing, Error},
    time,
};

// Whether it may be taken is asked where jobs are picked.
const TAKE: &str = "INSERT INTO merge_leases (project, pipeline, expires_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (project) DO UPDATE SET pipeline = excluded.pipeline, expires_at = excluded.expires_at";
const EXTEND: &str = "UPDATE merge_leases SET expires_at = ?2 WHERE pipeline = (SELECT pipeline FROM jobs WHERE id = ?1)";
const RELEASE: &str = "DELETE FROM merge_leases WHERE project = ?1 AND pipeline = ?2";
// As the claim asks it.
const HOLDER: &str = "SELECT pipeline FROM merge_leases WHERE project = ?1 AND expires_at > ?2
    AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = merge_leases.pipeline)";

pub(crate) const STATEMENTS: &[&str] = &[TAKE, EXTEND, RELEASE, HOLDER];

/// Takes or renews the lease of a project.
pub(crate) fn take(
    connection: &Connection,
    project: &ProjectKey,
    pipeline: PipelineId,
    until: Timestamp,
) -> Result<(), Error> {
    let params = params![project.as_str(), pipeline.to_string(), time::to_column(until)];
    rows::write(connection, TAKE, params, "take the merge lease").map(drop)
}

/// Extends the leases that the pipeline of a job holds.
pub(crate) fn extend_with(
    connection: &Connection,
    job: JobId,
    until: Timestamp,
) -> Result<(), Error> {
    rows::write(
        connection,
        EXTEND,
        params![job.to_string(), time::to_column(until)],
        "extend the merge lease",
    )
    .map(drop)
}

/// Gives the lease of a project back, where this pipeline holds it.
pub(crate) fn release(
    connection: &Connection,
    project: &ProjectKey,
    pipeline: PipelineId,
) -> Result<(), Error> {
    rows::write(
        connection,
        RELEASE,
        params![project.as_str(), pipeline.to_string()],
        "release the merge lease",
    )
    .map(drop)
}

/// The pipeline that keeps the others of a project from merging.
pub(crate) fn find_holder(
    connection: &Connection,
    project: &ProjectKey,
    now: Timestamp,
) -> Result<Option<PipelineId>, Error> {
    let find = || {
        connection
            .prepare_cached(HOLDER)?
            .query_row(params![project.as_str(), time::to_column(now)], |row| row.get(0))
            .optional()
    };
    let holder: Option<String> = find().doing("find who merges")?;
    let damage = Damage { table: "merge_leases", id: project.as_str() };
    holder.map(|id| damage.in_column("pipeline", id.parse())).transpose()
}
