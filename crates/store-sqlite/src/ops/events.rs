//! Events: only ever added, numbered without a gap.

use domain::{
    id::PipelineId,
    pipeline::{Actor, Event, EventKind, EventKindTag},
};
use jiff::Timestamp;
use rusqlite::{Connection, Row, ffi, params};
use serde::{Deserialize, Serialize};

use super::rows::{self, Damage, Looks, TableRow, integer};
use crate::{
    document,
    error::{Doing, Error},
    time,
};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT seq, pipeline, number, version, at, kind, document FROM events ", $rest)
    };
}

const APPEND: &str = "INSERT INTO events (pipeline, number, version, at, kind, document)
    VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM events WHERE pipeline = ?1), ?2, ?3, ?4, ?5)";
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM events";
const LIST: &str = select!("WHERE seq > ?1 ORDER BY seq LIMIT ?2");
// A pipeline's own numbers rise with `seq`; the plus keeps the search to its own events.
const LIST_OF_PIPELINE: &str =
    select!("WHERE pipeline = ?3 AND +seq > ?1 ORDER BY number LIMIT ?2");
const LAST_OF_KIND: &str =
    select!("WHERE pipeline = ?1 AND kind = ?2 ORDER BY number DESC LIMIT 1");

pub(crate) const STATEMENTS: &[&str] = &[APPEND, LAST, LIST, LIST_OF_PIPELINE, LAST_OF_KIND];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!(
        "WHERE pipeline IN (SELECT id FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))"
    ),
    of_one: select!("WHERE pipeline = ?1"),
    all: select!(""),
};

/// What of an event is nobody's key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    actor: Actor,
    kind: EventKind,
}

#[derive(Serialize)]
struct NewBody<'a> {
    actor: &'a Actor,
    kind: &'a EventKind,
}

/// An event as it stands in the database.
pub(crate) struct EventRow {
    seq: i64,
    pipeline: String,
    number: i64,
    version: i64,
    at: i64,
    kind: String,
    document: String,
}

impl TableRow for EventRow {
    const TABLE: &'static str = "events";
    const PIPELINE: usize = 1;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Self::read_from(row, 0)
    }
}

impl EventRow {
    /// Reads the columns of an event that stand behind those of another table.
    pub(super) fn read_from(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(first)?,
            pipeline: row.get(first + 1)?,
            number: row.get(first + 2)?,
            version: row.get(first + 3)?,
            at: row.get(first + 4)?,
            kind: row.get(first + 5)?,
            document: row.get(first + 6)?,
        })
    }
}

impl TryFrom<EventRow> for Event {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self, Error> {
        let EventRow { seq, pipeline, number, version, at, kind: tag, document } = row;
        let damage = Damage { table: EventRow::TABLE, id: &seq.to_string() };
        let Body { actor, kind } = damage.in_column("document", document::decode(&document))?;
        damage.unless_same("kind", &tag, &EventKindTag::from(&kind).to_string())?;
        Ok(Self {
            seq: damage.in_column("seq", seq.try_into())?,
            pipeline: damage.in_column("pipeline", pipeline.parse())?,
            number: damage.in_column("number", number.try_into())?,
            version: damage.in_column("version", version.try_into())?,
            at: time::from_column(at),
            actor,
            kind,
        })
    }
}

/// What all events of one step have in common.
pub(crate) struct Cause<'a> {
    pub(crate) pipeline: PipelineId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a Actor,
}

/// Adds an event to the log, and says under which sequence number.
pub(crate) fn append(
    connection: &Connection,
    cause: &Cause<'_>,
    kind: &EventKind,
) -> Result<i64, Error> {
    let Cause { pipeline, version, at, actor } = cause;
    let body = document::encode(&NewBody { actor, kind })?;
    let tag = EventKindTag::from(kind).to_string();
    let params = params![pipeline.to_string(), integer(*version), time::to_column(*at), tag, body];
    match rows::write(connection, APPEND, params, "append an event") {
        // The number behind the highest there is: whoever has damaged that one must not stop everybody else.
        Err(Error::Sql { source, .. }) if is_no_number(&source) => {
            let damage = Damage { table: EventRow::TABLE, id: &pipeline.to_string() };
            Err(damage.of("number: no event can follow the last one"))
        }
        // The sequence number is the rowid.
        written => written.map(|_| connection.last_insert_rowid()),
    }
}

fn is_no_number(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(ffi::SQLITE_CONSTRAINT_DATATYPE)
}

/// The sequence number of the last event of all, 0 where there is none.
pub(crate) fn last_seq(connection: &Connection) -> Result<u64, Error> {
    let find = || connection.prepare_cached(LAST)?.query_row([], |row| row.get(0));
    let seq: i64 = find().doing("find the last event")?;
    Damage { table: EventRow::TABLE, id: &seq.to_string() }.in_column("seq", seq.try_into())
}

pub(crate) fn list(
    connection: &Connection,
    pipeline: Option<PipelineId>,
    after: u64,
    limit: u32,
) -> Result<Vec<Event>, Error> {
    let after = integer(after);
    match pipeline {
        Some(id) => {
            let params = params![after, limit, id.to_string()];
            rows::list::<EventRow, _>(
                connection,
                LIST_OF_PIPELINE,
                params,
                "list the events of a pipeline",
            )
        }
        None => {
            rows::list::<EventRow, _>(connection, LIST, params![after, limit], "list the events")
        }
    }
}

/// The newest event of that kind of a pipeline.
pub(crate) fn find_last(
    connection: &Connection,
    pipeline: PipelineId,
    kind: EventKindTag,
) -> Result<Option<Event>, Error> {
    let params = params![pipeline.to_string(), kind.to_string()];
    rows::find::<EventRow, _>(connection, LAST_OF_KIND, params, "find the last event of a kind")
}
