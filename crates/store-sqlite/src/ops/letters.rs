//! Letters: written with the event that they tell of, given out in its order, one at a time to each destination.

use domain::{
    id::LetterId,
    item::ItemKey,
    name::DestinationName,
    outbox::{Letter, LetterInput, LetterRefusal, LetterState, LetterStateTag},
    pipeline::{Event, Pipeline},
};
use jiff::Timestamp;
use ports::{DamagedRow, LetterCount, LetterFilter, NewLetter, TakeLetters};
use rusqlite::{Connection, Row, named_params, params};
use serde::{Deserialize, Serialize};

use super::{
    events::EventRow,
    rows::{self, Damage, Looks, TableRow, integer, limit_or_none},
};
use crate::{
    document,
    error::{Doing, Error},
    time,
};

macro_rules! columns {
    ($from:literal, $($rest:literal),+) => {
        concat!(
            "SELECT outbox.id, destination, state, due_at, outbox.version, outbox.document, ",
            "seq, pipeline, number, events.version, at, kind, events.document FROM ",
            $from,
            $($rest),+
        )
    };
}
// The joins are crossed so that what has the order is read first: the outbox by an index of its own; where it is about
// one pipeline, the log of that, which has the order as well.
macro_rules! select {
    ($index:literal, $rest:literal) => {
        columns!("outbox ", $index, " CROSS JOIN events ON events.seq = outbox.event ", $rest)
    };
}
macro_rules! select_of_pipeline {
    ($rest:literal) => {
        columns!(
            "events CROSS JOIN outbox INDEXED BY outbox_newest ON outbox.event = events.seq ",
            "WHERE pipeline = ",
            $rest
        )
    };
}

const POST: &str = "INSERT INTO outbox (id, destination, event, state, due_at, version, document)
    VALUES (:id, :destination, :event, :state, :due_at, :version, :document)";
const IS_SEEN: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND version = ?2 - 1)";
const SAVE: &str =
    "UPDATE outbox SET state = :state, due_at = :due_at, version = :version, document = :document
    WHERE id = :id AND version = :version - 1";
const MARK_DAMAGED: &str = "UPDATE outbox SET damaged = ?2 WHERE id = ?1";
const MARKED: &str = select!(
    "INDEXED BY outbox_open",
    "WHERE state IN ('queued', 'sending', 'dead') AND due_at IS NOT NULL AND damaged IS NOT NULL"
);
const TAKE_UP: &str =
    "UPDATE outbox SET damaged = NULL WHERE id IN (SELECT value FROM json_each(?1))";
const UNDER_WAY_UNTIL: &str = "SELECT max(due_at) FROM outbox INDEXED BY outbox_sending
    WHERE destination = ?1 AND state = 'sending' AND damaged IS NULL";
const HEAD: &str = select!(
    "INDEXED BY outbox_waiting",
    "WHERE destination = ?1 AND due_at IS NOT NULL AND damaged IS NULL ORDER BY outbox.event LIMIT 1"
);
const HEAD_DUE_AT: &str = "SELECT due_at FROM outbox INDEXED BY outbox_waiting
    WHERE destination = ?1 AND due_at IS NOT NULL AND damaged IS NULL ORDER BY event LIMIT 1";
const OPEN: &str =
    select!("INDEXED BY outbox_open", "WHERE state IN ('queued', 'sending', 'dead')");
const FIND: &str = select!("", "WHERE outbox.id = ?1");
const LIST: &str = select!(
    "",
    "WHERE :destination IS NULL OR destination = :destination
    ORDER BY outbox.event DESC, destination LIMIT :limit"
);
const LIST_BY_STATE: &str = select!(
    "INDEXED BY outbox_by_state",
    "WHERE state = :state AND (:destination IS NULL OR destination = :destination)
    ORDER BY outbox.event DESC, destination LIMIT :limit"
);
pub(crate) const LIST_OF_PIPELINE: &str = select_of_pipeline!(
    ":pipeline AND (:state IS NULL OR state = :state) AND (:destination IS NULL OR destination = :destination)
    ORDER BY number DESC, destination LIMIT :limit"
);
const COUNT: &str =
    "SELECT destination, state, count(*), min(event) FROM outbox INDEXED BY outbox_open
    WHERE state IN ('queued', 'sending', 'dead') GROUP BY destination, state";
const EVENT_AT: &str = "SELECT at FROM events WHERE seq = ?1";

pub(crate) const STATEMENTS: &[&str] = &[
    POST,
    IS_SEEN,
    SAVE,
    MARK_DAMAGED,
    MARKED,
    TAKE_UP,
    UNDER_WAY_UNTIL,
    HEAD,
    HEAD_DUE_AT,
    OPEN,
    FIND,
    LIST,
    LIST_BY_STATE,
    LIST_OF_PIPELINE,
    COUNT,
    EVENT_AT,
];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!("", "WHERE due_at IS NOT NULL"),
    of_one: select_of_pipeline!("?1"),
    all: select!("", ""),
};

/// What of a letter is nobody's key and does not stand in its event.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    item: ItemKey,
    title: String,
    failures: u32,
    lost: u32,
    state: LetterState,
    last_error: Option<String>,
}

pub(crate) struct LetterRow {
    id: String,
    destination: String,
    state: String,
    due_at: Option<i64>,
    version: i64,
    document: String,
    event: EventRow,
}

impl TableRow for LetterRow {
    const TABLE: &'static str = "outbox";
    const PIPELINE: usize = 7;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            destination: row.get(1)?,
            state: row.get(2)?,
            due_at: row.get(3)?,
            version: row.get(4)?,
            document: row.get(5)?,
            event: EventRow::read_from(row, 6)?,
        })
    }
}

impl TryFrom<LetterRow> for Letter {
    type Error = Error;

    fn try_from(row: LetterRow) -> Result<Self, Error> {
        let LetterRow { id, destination, state: tag, due_at, version, document, event } = row;
        let damage = Damage { table: LetterRow::TABLE, id: &id };
        let Body { item, title, failures, lost, state, last_error } =
            damage.in_column("document", document::decode(&document))?;
        damage.unless_same("state", &tag.as_str(), &state_of(&state))?;
        damage.unless_same("due_at", &due_at, &column_of(&state))?;
        let event = match Event::try_from(event) {
            Ok(event) => event,
            Err(Error::Damaged { what, .. }) => return Err(damage.of(format!("event: {what}"))),
            Err(error) => return Err(error),
        };
        Ok(Self {
            id: damage.in_column("id", id.parse())?,
            destination: damage.in_column("destination", DestinationName::new(destination))?,
            item,
            title,
            event,
            version: damage.in_column("version", version.try_into())?,
            failures,
            lost,
            state,
            last_error,
        })
    }
}

fn state_of(state: &LetterState) -> &'static str {
    LetterStateTag::from(state).into()
}

/// When a letter can be taken, if ever, as a column.
fn column_of(state: &LetterState) -> Option<i64> {
    match state {
        LetterState::Queued { available_at: at } | LetterState::Sending { expires_at: at, .. } => {
            Some(time::to_column(*at))
        }
        LetterState::Delivered { .. } | LetterState::Dead { .. } | LetterState::Dropped { .. } => {
            None
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the step tells {told} events, and letter {letter} is about number {event} of them")]
struct NoSuchEvent {
    letter: LetterId,
    event: usize,
    told: usize,
}

/// Writes a letter about one of the events that its step has told.
pub(crate) fn post(
    connection: &Connection,
    new: &NewLetter,
    pipeline: &Pipeline,
    told: &[i64],
    now: Timestamp,
) -> Result<(), Error> {
    let operation = "post a letter";
    let NewLetter { id, destination, event } = new;
    let event = told.get(*event).ok_or_else(|| {
        let (letter, event, told) = (*id, *event, told.len());
        Error::refused(operation, NoSuchEvent { letter, event, told })
    })?;
    let body = Body {
        item: pipeline.item.key.clone(),
        title: pipeline.item.title.clone(),
        failures: 0,
        lost: 0,
        state: LetterState::Queued { available_at: now },
        last_error: None,
    };
    let params = named_params! {
        ":id": id.to_string(),
        ":destination": destination.as_str(),
        ":event": event,
        ":state": state_of(&body.state),
        ":due_at": column_of(&body.state),
        ":version": 0,
        ":document": document::encode(&body)?,
    };
    rows::write(connection, POST, params, operation).map(drop)
}

/// Whether this is the next version of a letter as it is stored.
pub(crate) fn is_seen(connection: &Connection, letter: &Letter) -> Result<bool, Error> {
    let params = params![letter.id.to_string(), integer(letter.version)];
    let find = || connection.prepare_cached(IS_SEEN)?.query_row(params, |row| row.get(0));
    find().doing("look at the version of a letter")
}

/// Writes a letter over the version before it. Says whether that is what was there.
pub(crate) fn settle(connection: &Connection, letter: &Letter) -> Result<bool, Error> {
    let Letter {
        id,
        destination: _,
        item,
        title,
        event: _,
        version,
        failures,
        lost,
        state,
        last_error,
    } = letter.clone();
    let body = Body { item, title, failures, lost, state, last_error };
    let params = named_params! {
        ":id": id.to_string(),
        ":state": state_of(&body.state),
        ":due_at": column_of(&body.state),
        ":version": integer(version),
        ":document": document::encode(&body)?,
    };
    Ok(rows::write(connection, SAVE, params, "settle a letter")? == 1)
}

/// Gives out the next letter of each destination, as the port says.
pub(crate) fn take(connection: &Connection, wish: &TakeLetters) -> Result<Vec<Letter>, Error> {
    let TakeLetters { owner, now, ttl, destinations } = wish;
    let input = LetterInput::Take { owner: owner.clone(), ttl: *ttl };
    let mut taken = Vec::new();
    for destination in destinations {
        if under_way_until(connection, destination)?.is_some_and(|until| until > *now) {
            continue;
        }
        let Some(head) = head(connection, destination)? else { continue };
        match head.decide(&input, *now) {
            Ok(letter) => {
                settle(connection, &letter)?;
                taken.push(letter);
            }
            Err(
                LetterRefusal::NotDue { .. }
                | LetterRefusal::NotAllowed { .. }
                | LetterRefusal::LongWords { .. },
            ) => {}
        }
    }
    Ok(taken)
}

/// The letter whose turn it is. Damaged rows leave the outbox's order on the way.
fn head(connection: &Connection, destination: &DestinationName) -> Result<Option<Letter>, Error> {
    loop {
        let operation = "find the next letter";
        match rows::find::<LetterRow, _>(connection, HEAD, [destination.as_str()], operation) {
            Err(Error::Damaged { id, what, .. }) => mark_damaged(connection, &id, &what)?,
            found => return found,
        }
    }
}

/// Takes a row that cannot be read out of the others' way, and says so once.
fn mark_damaged(connection: &Connection, id: &str, what: &str) -> Result<(), Error> {
    tracing::error!(
        table = "outbox",
        row.id = id,
        "took a damaged letter out of the outbox: {what}"
    );
    rows::write(connection, MARK_DAMAGED, [id, what], "mark a damaged letter").map(drop)
}

/// The letters that wait, are under way or are dead, and that cannot be.
pub(crate) fn damaged(connection: &Connection) -> Result<Vec<DamagedRow>, Error> {
    rows::damaged::<LetterRow, Letter>(connection, OPEN, [], |_| Ok(()))
}

/// Has the letters given out again whose rows and events were mended: those that can be read.
pub(crate) fn take_up(connection: &Connection) -> Result<(), Error> {
    let operation = "take mended letters up again";
    let mended: Vec<LetterId> = rows::list::<LetterRow, Letter>(connection, MARKED, [], operation)?
        .into_iter()
        .map(|letter| letter.id)
        .collect();
    if mended.is_empty() {
        return Ok(());
    }
    rows::write(connection, TAKE_UP, [rows::json_list(&mended)?], operation).map(drop)
}

fn under_way_until(
    connection: &Connection,
    destination: &DestinationName,
) -> Result<Option<Timestamp>, Error> {
    let find = || {
        connection
            .prepare_cached(UNDER_WAY_UNTIL)?
            .query_row([destination.as_str()], |row| row.get::<_, Option<i64>>(0))
    };
    Ok(find().doing("find the letter that is under way")?.map(time::from_column))
}

/// When the first letter to one of these destinations can be taken.
pub(crate) fn next(
    connection: &Connection,
    destinations: &[DestinationName],
) -> Result<Option<Timestamp>, Error> {
    let mut first: Option<Timestamp> = None;
    for destination in destinations {
        let find = || {
            let mut statement = connection.prepare_cached(HEAD_DUE_AT)?;
            let mut rows = statement.query([destination.as_str()])?;
            rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()
        };
        let due = find().doing("find when the next letter is due")?.map(time::from_column);
        let Some(due) = due else { continue };
        let until = under_way_until(connection, destination)?;
        let due = until.map_or(due, |until| until.max(due));
        first = Some(first.map_or(due, |first| first.min(due)));
    }
    Ok(first)
}

pub(crate) fn find(connection: &Connection, id: LetterId) -> Result<Option<Letter>, Error> {
    rows::find::<LetterRow, _>(connection, FIND, [id.to_string()], "find the letter")
}

pub(crate) fn list(connection: &Connection, filter: &LetterFilter) -> Result<Vec<Letter>, Error> {
    let LetterFilter { pipeline, destination, state, limit } = filter;
    let pipeline = pipeline.as_ref().map(ToString::to_string);
    let destination = destination.as_ref().map(DestinationName::as_str);
    let state = state.as_ref().map(<&'static str>::from);
    let (limit, operation) = (limit_or_none(*limit), "list the letters");
    if pipeline.is_some() {
        let params = named_params! { ":pipeline": pipeline, ":state": state, ":destination": destination, ":limit": limit };
        return rows::list::<LetterRow, _>(connection, LIST_OF_PIPELINE, params, operation);
    }
    if state.is_some() {
        let params =
            named_params! { ":state": state, ":destination": destination, ":limit": limit };
        return rows::list::<LetterRow, _>(connection, LIST_BY_STATE, params, operation);
    }
    let params = named_params! { ":destination": destination, ":limit": limit };
    rows::list::<LetterRow, _>(connection, LIST, params, operation)
}

/// How many letters wait, are under way or are dead, by destination and state.
pub(crate) fn count(connection: &Connection) -> Result<Vec<LetterCount>, Error> {
    let find = || {
        let mut groups = connection.prepare_cached(COUNT)?;
        let mut event_at = connection.prepare_cached(EVENT_AT)?;
        let counts = groups.query_map([], |row| {
            let at: i64 = event_at.query_row([row.get::<_, i64>(3)?], |row| row.get(0))?;
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, at))
        })?;
        counts.collect()
    };
    let found: rusqlite::Result<Vec<_>> = find();
    let mut counts = Vec::new();
    for (destination, state, count, at) in found.doing("count the letters")? {
        let damage = Damage { table: LetterRow::TABLE, id: &destination };
        counts.push(LetterCount {
            state: damage.in_column("state", state.parse::<LetterStateTag>())?,
            count: damage.in_column("count", count.try_into())?,
            oldest: time::from_column(at),
            destination: damage
                .in_column("destination", DestinationName::new(destination.clone()))?,
        });
    }
    counts.sort_by_key(|count| (count.destination.clone(), count.state));
    Ok(counts)
}
