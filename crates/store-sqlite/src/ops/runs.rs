//! Runs of agents.

use domain::{
    id::{JobId, PipelineId, RunId},
    run::Run,
};
use rusqlite::{Connection, Row, params};

use super::{
    jobs,
    rows::{self, Damage, Looks, TableRow},
};
use crate::{document, error::Error, time};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, job, pipeline, launched_at, ended_at, document FROM runs ", $rest)
    };
}

const SAVE: &str = "INSERT INTO runs (id, job, pipeline, launched_at, ended_at, document) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (id) DO UPDATE SET job = excluded.job, pipeline = excluded.pipeline, launched_at = excluded.launched_at,
        ended_at = excluded.ended_at, document = excluded.document
    WHERE runs.ended_at IS NULL";
const END: &str = "UPDATE runs SET ended_at = ?2, document = ?3 WHERE id = ?1 AND ended_at IS NULL
        AND (SELECT state FROM jobs WHERE id = runs.job) IN ('done', 'failed', 'cancelled')";
const FIND: &str = select!("WHERE id = ?1");
const FIND_OPEN: &str =
    select!("WHERE job = ?1 AND ended_at IS NULL ORDER BY launched_at DESC, id DESC LIMIT 1");
const LIST_ORPHANED: &str = select!(
    "WHERE ended_at IS NULL AND (SELECT state FROM jobs WHERE id = runs.job) IN ('done', 'failed', 'cancelled')
    ORDER BY job, launched_at, id"
);
const LIST: &str = select!("WHERE pipeline = ?1 ORDER BY launched_at, id");

/// Reads every run: for a database that nobody works on.
const LIST_OPEN: &str = select!("WHERE ended_at IS NULL ORDER BY launched_at, id");

pub(crate) const STATEMENTS: &[&str] = &[SAVE, END, FIND, FIND_OPEN, LIST_ORPHANED, LIST];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!(
        "WHERE pipeline IN (SELECT id FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))"
    ),
    of_one: select!("WHERE pipeline = ?1"),
    all: select!(""),
};

pub(crate) struct RunRow {
    id: String,
    job: String,
    pipeline: String,
    launched_at: i64,
    ended_at: Option<i64>,
    document: String,
}

impl TableRow for RunRow {
    const TABLE: &'static str = "runs";
    const PIPELINE: usize = 2;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            job: row.get(1)?,
            pipeline: row.get(2)?,
            launched_at: row.get(3)?,
            ended_at: row.get(4)?,
            document: row.get(5)?,
        })
    }
}

impl TryFrom<RunRow> for Run {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self, Error> {
        let RunRow { id, job, pipeline, launched_at, ended_at, document } = row;
        let damage = Damage { table: RunRow::TABLE, id: &id };
        let run: Self = damage.in_column("document", document::decode(&document))?;
        damage.unless_same("id", &id, &run.id.to_string())?;
        damage.unless_same("job", &job, &run.job.to_string())?;
        damage.unless_same("pipeline", &pipeline, &run.pipeline.to_string())?;
        damage.unless_same("launched_at", &launched_at, &time::to_column(run.launched_at))?;
        damage.unless_same("ended_at", &ended_at, &run.ended_at.map(time::to_column))?;
        Ok(run)
    }
}

/// Writes a run of a job that is held under this token, unless the run has ended. Says whether it was written.
pub(crate) fn save_held(connection: &Connection, run: &Run, token: u64) -> Result<bool, Error> {
    Ok(jobs::is_held(connection, run.job, token, None)? && save(connection, run)?)
}

/// Writes a run, unless it has ended already. Says whether it was written. The caller knows that it may.
pub(crate) fn save(connection: &Connection, run: &Run) -> Result<bool, Error> {
    let (id, job, pipeline) = (run.id.to_string(), run.job.to_string(), run.pipeline.to_string());
    let (launched_at, ended_at) =
        (time::to_column(run.launched_at), run.ended_at.map(time::to_column));
    let params = params![id, job, pipeline, launched_at, ended_at, document::encode(run)?];
    Ok(rows::write(connection, SAVE, params, "save the run")? == 1)
}

/// Writes the end of a run whose job has ended, unless it has ended already. Says whether it was written.
pub(crate) fn end(connection: &Connection, run: &Run) -> Result<bool, Error> {
    let ended_at = run.ended_at.map(time::to_column);
    let params = params![run.id.to_string(), ended_at, document::encode(run)?];
    Ok(rows::write(connection, END, params, "end the run")? == 1)
}

pub(crate) fn find(connection: &Connection, id: RunId) -> Result<Option<Run>, Error> {
    rows::find::<RunRow, _>(connection, FIND, [id.to_string()], "find the run")
}

pub(crate) fn find_open(connection: &Connection, job: JobId) -> Result<Option<Run>, Error> {
    rows::find::<RunRow, _>(connection, FIND_OPEN, [job.to_string()], "find the open run of a job")
}

pub(crate) fn list_orphaned(connection: &Connection) -> Result<Vec<Run>, Error> {
    rows::list::<RunRow, _>(connection, LIST_ORPHANED, [], "list the open runs")
}

pub(crate) fn list(connection: &Connection, pipeline: PipelineId) -> Result<Vec<Run>, Error> {
    rows::list::<RunRow, _>(connection, LIST, [pipeline.to_string()], "list the runs of a pipeline")
}

/// Every run that has not ended, of whatever job.
pub(crate) fn list_open(connection: &Connection) -> Result<Vec<Run>, Error> {
    rows::list::<RunRow, _>(connection, LIST_OPEN, [], "list all open runs")
}
