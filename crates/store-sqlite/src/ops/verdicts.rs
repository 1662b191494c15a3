//! Verdicts: kept for good.

use domain::{id::PipelineId, name::GateName, revision::TreeSha, verdict::Verdict};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, Looks, TableRow};
use crate::{document, error::Error};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, gate, tree, document, pipeline FROM verdicts ", $rest)
    };
}

const KEEP: &str = "INSERT INTO verdicts (pipeline, gate, tree, document) VALUES (?1, ?2, ?3, ?4)";
// The order of rows is the order of commits.
const LIST: &str = select!("WHERE pipeline = ?1 ORDER BY id");
const FIND: &str =
    select!("WHERE pipeline = ?1 AND gate = ?2 AND tree = ?3 ORDER BY id DESC LIMIT 1");

pub(crate) const STATEMENTS: &[&str] = &[KEEP, LIST, FIND];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!(
        "WHERE pipeline IN (SELECT id FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))"
    ),
    of_one: select!("WHERE pipeline = ?1"),
    all: select!(""),
};

pub(crate) struct VerdictRow {
    id: i64,
    gate: String,
    tree: String,
    document: String,
}

impl TableRow for VerdictRow {
    const TABLE: &'static str = "verdicts";
    const PIPELINE: usize = 4;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, gate: row.get(1)?, tree: row.get(2)?, document: row.get(3)? })
    }
}

impl TryFrom<VerdictRow> for Verdict {
    type Error = Error;

    fn try_from(row: VerdictRow) -> Result<Self, Error> {
        let VerdictRow { id, gate, tree, document } = row;
        let damage = Damage { table: VerdictRow::TABLE, id: &id.to_string() };
        let verdict: Self = damage.in_column("document", document::decode(&document))?;
        damage.unless_same("gate", &gate.as_str(), &verdict.gate.as_str())?;
        damage.unless_same("tree", &tree.as_str(), &verdict.tree.as_str())?;
        Ok(verdict)
    }
}

pub(crate) fn keep(
    connection: &Connection,
    pipeline: PipelineId,
    verdict: &Verdict,
) -> Result<(), Error> {
    let params = params![
        pipeline.to_string(),
        verdict.gate.as_str(),
        verdict.tree.as_str(),
        document::encode(verdict)?
    ];
    rows::write(connection, KEEP, params, "keep a verdict").map(drop)
}

pub(crate) fn list(connection: &Connection, pipeline: PipelineId) -> Result<Vec<Verdict>, Error> {
    rows::list::<VerdictRow, _>(
        connection,
        LIST,
        [pipeline.to_string()],
        "list the verdicts of a pipeline",
    )
}

/// The newest verdict of a gate about a tree.
pub(crate) fn find(
    connection: &Connection,
    pipeline: PipelineId,
    gate: &GateName,
    tree: &TreeSha,
) -> Result<Option<Verdict>, Error> {
    let params = params![pipeline.to_string(), gate.as_str(), tree.as_str()];
    rows::find::<VerdictRow, _>(connection, FIND, params, "find a verdict")
}
