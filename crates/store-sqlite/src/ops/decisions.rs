//! Questions to people.

use domain::{
    decision::{Decision, DecisionState, DecisionStateTag},
    id::{DecisionId, PipelineId},
};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, Looks, TableRow};
use crate::{document, error::Error, time};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, pipeline, state, opened_at, document FROM decisions ", $rest)
    };
}

const OPEN: &str =
    "INSERT INTO decisions (id, pipeline, state, opened_at, document) VALUES (?1, ?2, ?3, ?4, ?5)";
const CLOSE: &str =
    "UPDATE decisions SET state = ?2, document = ?3 WHERE id = ?1 AND state = 'open'";
const CLOSE_DAMAGED: &str = "UPDATE decisions SET state = ?2 WHERE id = ?1 AND state = 'open'";
const FIND: &str = select!("WHERE id = ?1");
const LIST: &str = select!("ORDER BY opened_at, id");
const LIST_OPEN: &str = select!("WHERE state = 'open' ORDER BY opened_at, id");
const LIST_OF_PIPELINE: &str = select!("WHERE pipeline = ?1 ORDER BY opened_at, id");
const LIST_OPEN_OF_PIPELINE: &str =
    select!("WHERE pipeline = ?1 AND state = 'open' ORDER BY opened_at, id");

pub(crate) const STATEMENTS: &[&str] =
    &[OPEN, CLOSE, CLOSE_DAMAGED, FIND, LIST, LIST_OPEN, LIST_OF_PIPELINE, LIST_OPEN_OF_PIPELINE];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!(
        "WHERE pipeline IN (SELECT id FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))"
    ),
    of_one: select!("WHERE pipeline = ?1"),
    all: select!(""),
};

pub(crate) struct DecisionRow {
    id: String,
    pipeline: String,
    state: String,
    opened_at: i64,
    document: String,
}

impl TableRow for DecisionRow {
    const TABLE: &'static str = "decisions";
    const PIPELINE: usize = 1;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pipeline: row.get(1)?,
            state: row.get(2)?,
            opened_at: row.get(3)?,
            document: row.get(4)?,
        })
    }
}

impl TryFrom<DecisionRow> for Decision {
    type Error = Error;

    fn try_from(row: DecisionRow) -> Result<Self, Error> {
        let DecisionRow { id, pipeline, state, opened_at, document } = row;
        let damage = Damage { table: DecisionRow::TABLE, id: &id };
        let decision: Self = damage.in_column("document", document::decode(&document))?;
        damage.unless_same("id", &id, &decision.id.to_string())?;
        damage.unless_same("pipeline", &pipeline, &decision.pipeline.to_string())?;
        damage.unless_same("state", &state.as_str(), &state_of(&decision.state))?;
        damage.unless_same("opened_at", &opened_at, &time::to_column(decision.opened_at))?;
        Ok(decision)
    }
}

fn state_of(state: &DecisionState) -> &'static str {
    DecisionStateTag::from(state).into()
}

pub(crate) fn open(connection: &Connection, decision: &Decision) -> Result<(), Error> {
    let (id, pipeline) = (decision.id.to_string(), decision.pipeline.to_string());
    let opened_at = time::to_column(decision.opened_at);
    let params =
        params![id, pipeline, state_of(&decision.state), opened_at, document::encode(decision)?];
    rows::write(connection, OPEN, params, "open a decision").map(drop)
}

/// Settles a question. One that is not open any more stays as it is. Of one that cannot be read only the column is
/// written: its pipeline can be cancelled all the same.
pub(crate) fn close(
    connection: &Connection,
    id: DecisionId,
    state: &DecisionState,
) -> Result<(), Error> {
    let mut decision = match find(connection, id) {
        Ok(Some(decision)) => decision,
        Ok(None) => return Ok(()),
        Err(Error::Damaged { .. }) => {
            let params = params![id.to_string(), state_of(state)];
            return rows::write(connection, CLOSE_DAMAGED, params, "close a damaged decision")
                .map(drop);
        }
        Err(error) => return Err(error),
    };
    decision.state = state.clone();
    let params = params![id.to_string(), state_of(state), document::encode(&decision)?];
    rows::write(connection, CLOSE, params, "close a decision").map(drop)
}

pub(crate) fn find(connection: &Connection, id: DecisionId) -> Result<Option<Decision>, Error> {
    rows::find::<DecisionRow, _>(connection, FIND, [id.to_string()], "find the decision")
}

pub(crate) fn list(
    connection: &Connection,
    pipeline: Option<PipelineId>,
    only_open: bool,
) -> Result<Vec<Decision>, Error> {
    let operation = "list the decisions";
    match (pipeline, only_open) {
        (None, false) => rows::list::<DecisionRow, _>(connection, LIST, [], operation),
        (None, true) => rows::list::<DecisionRow, _>(connection, LIST_OPEN, [], operation),
        (Some(id), false) => {
            rows::list::<DecisionRow, _>(connection, LIST_OF_PIPELINE, [id.to_string()], operation)
        }
        (Some(id), true) => rows::list::<DecisionRow, _>(
            connection,
            LIST_OPEN_OF_PIPELINE,
            [id.to_string()],
            operation,
        ),
    }
}
