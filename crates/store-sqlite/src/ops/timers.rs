//! Timers, and when something is due at all.

use domain::{id::PipelineId, pipeline::TimerKey};
use jiff::Timestamp;
use ports::{DueTimer, NextDue, TimerChange};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, TableRow};
use crate::{
    error::{Doing, Error},
    time,
};

const ARM: &str = "INSERT INTO timers (pipeline, timer, at) VALUES (?1, ?2, ?3)
    ON CONFLICT (pipeline, timer) DO UPDATE SET at = excluded.at";
const REMOVE: &str = "DELETE FROM timers WHERE pipeline = ?1 AND timer = ?2";
const REMOVE_ALL: &str = "DELETE FROM timers WHERE pipeline = ?1";
const DROP: &str = "DELETE FROM timers WHERE pipeline = ?1 AND timer = ?2 AND at = ?3";
const LIST_DUE: &str =
    "SELECT pipeline, timer, at FROM timers WHERE at <= ?1 ORDER BY at, pipeline, timer";
const NEXT: &str = "SELECT min(at) FROM timers";
const NEXT_JOB: &str = "SELECT available_at FROM jobs INDEXED BY jobs_due
    WHERE state = 'queued' AND damaged IS NULL AND (SELECT status FROM pipelines WHERE id = jobs.pipeline) <> 'paused'
    ORDER BY available_at LIMIT 1";
const NEXT_LEASE: &str = "SELECT min(lease_expires_at) FROM jobs INDEXED BY jobs_by_state WHERE state = 'running' AND damaged IS NULL";

pub(crate) const STATEMENTS: &[&str] =
    &[ARM, REMOVE, REMOVE_ALL, DROP, LIST_DUE, NEXT, NEXT_JOB, NEXT_LEASE];

struct TimerRow {
    pipeline: String,
    timer: String,
    at: i64,
}

impl TableRow for TimerRow {
    const TABLE: &'static str = "timers";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { pipeline: row.get(0)?, timer: row.get(1)?, at: row.get(2)? })
    }
}

impl TryFrom<TimerRow> for DueTimer {
    type Error = Error;

    fn try_from(row: TimerRow) -> Result<Self, Error> {
        let TimerRow { pipeline, timer, at } = row;
        let damage = Damage { table: TimerRow::TABLE, id: &pipeline };
        Ok(Self {
            pipeline: damage.in_column("pipeline", pipeline.parse())?,
            timer: damage.in_column("timer", timer.parse::<TimerKey>())?,
            at: time::from_column(at),
        })
    }
}

pub(crate) fn change(
    connection: &Connection,
    pipeline: PipelineId,
    change: TimerChange,
) -> Result<(), Error> {
    let id = pipeline.to_string();
    let written = match change {
        TimerChange::Arm { timer, at } => rows::write(
            connection,
            ARM,
            params![id, timer.to_string(), time::to_column(at)],
            "arm a timer",
        ),
        TimerChange::Fired { timer } => {
            rows::write(connection, REMOVE, params![id, timer.to_string()], "remove a timer")
        }
        TimerChange::DisarmAll => {
            rows::write(connection, REMOVE_ALL, params![id], "remove the timers of a pipeline")
        }
    };
    written.map(drop)
}

pub(crate) fn drop_due(connection: &Connection, timer: &DueTimer) -> Result<(), Error> {
    let DueTimer { pipeline, timer, at } = timer;
    let params = params![pipeline.to_string(), timer.to_string(), time::to_column(*at)];
    rows::write(connection, DROP, params, "drop a timer").map(drop)
}

pub(crate) fn list_due(connection: &Connection, now: Timestamp) -> Result<Vec<DueTimer>, Error> {
    rows::list::<TimerRow, _>(
        connection,
        LIST_DUE,
        [time::to_column(now)],
        "list the timers that are due",
    )
}

/// What is due next. What no worker can be given does not count.
pub(crate) fn next_due(connection: &Connection) -> Result<NextDue, Error> {
    let find = || {
        let timer: Option<i64> =
            connection.prepare_cached(NEXT)?.query_row([], |row| row.get(0))?;
        let job: Option<i64> = connection
            .prepare_cached(NEXT_JOB)?
            .query([])?
            .next()?
            .map(|row| row.get(0))
            .transpose()?;
        let lease: Option<i64> =
            connection.prepare_cached(NEXT_LEASE)?.query_row([], |row| row.get(0))?;
        Ok([job, timer, lease].map(|at| at.map(time::from_column)))
    };
    let [job, timer, lease] = find().doing("find what is due next")?;
    Ok(NextDue { job, timer, lease })
}
