//! Merge leases: who may merge in a project, and until when.

use domain::{
    id::{JobId, PipelineId},
    name::ProjectKey,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows;
use crate::{error::Error, time};

// Whether it may be taken is asked where jobs are picked.
const TAKE: &str = "INSERT INTO merge_leases (project, pipeline, expires_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (project) DO UPDATE SET pipeline = excluded.pipeline, expires_at = excluded.expires_at";
const EXTEND: &str = "UPDATE merge_leases SET expires_at = ?2 WHERE pipeline = (SELECT pipeline FROM jobs WHERE id = ?1)";
const RELEASE: &str = "DELETE FROM merge_leases WHERE project = ?1 AND pipeline = ?2";

pub(crate) const STATEMENTS: &[&str] = &[TAKE, EXTEND, RELEASE];

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
