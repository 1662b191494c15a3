//! Timers: set, replaced, fired.

use domain::{id::PipelineId, pipeline::TimerKey};
use jiff::Timestamp;
use ports::{DueTimer, TimerChange};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, Looks, TableRow};
use crate::{error::Error, time};

const ARM: &str = "INSERT INTO timers (pipeline, timer, at) VALUES (?1, ?2, ?3)
    ON CONFLICT (pipeline, timer) DO UPDATE SET at = excluded.at";
const REMOVE: &str = "DELETE FROM timers WHERE pipeline = ?1 AND timer = ?2";
const REMOVE_ALL: &str = "DELETE FROM timers WHERE pipeline = ?1";
const DROP: &str = "DELETE FROM timers WHERE pipeline = ?1 AND timer = ?2 AND at = ?3";
const LIST_DUE: &str = "SELECT pipeline, timer, at FROM timers INDEXED BY timers_due WHERE at <= ?1
        AND EXISTS (SELECT 1 FROM pipelines WHERE id = timers.pipeline)
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = timers.pipeline)
    ORDER BY at, pipeline, timer";
const FIND: &str = "SELECT pipeline, timer, at FROM timers WHERE pipeline = ?1 AND timer = ?2";

pub(crate) const STATEMENTS: &[&str] = &[ARM, REMOVE, REMOVE_ALL, DROP, LIST_DUE, FIND];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: "SELECT pipeline, timer, at FROM timers",
    of_one: "SELECT pipeline, timer, at FROM timers WHERE pipeline = ?1",
    all: "SELECT pipeline, timer, at FROM timers",
};

pub(crate) struct TimerRow {
    pipeline: String,
    timer: String,
    at: i64,
}

impl TableRow for TimerRow {
    const TABLE: &'static str = "timers";
    const PIPELINE: usize = 0;

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

pub(crate) fn find(
    connection: &Connection,
    pipeline: PipelineId,
    timer: TimerKey,
) -> Result<Option<Timestamp>, Error> {
    let key = params![pipeline.to_string(), timer.to_string()];
    let found: Option<DueTimer> = rows::find::<TimerRow, _>(connection, FIND, key, "find a timer")?;
    Ok(found.map(|due| due.at))
}

pub(crate) fn list_due(connection: &Connection, now: Timestamp) -> Result<Vec<DueTimer>, Error> {
    rows::list::<TimerRow, _>(
        connection,
        LIST_DUE,
        [time::to_column(now)],
        "list the timers that are due",
    )
}
