//! Pipelines that nothing will move.

use domain::id::PipelineId;
use ports::Stranded;
use rusqlite::{Connection, Row};

use super::rows::{self, Damage, TableRow};
use crate::error::Error;

/// Which pipelines nothing will move, in SQL: invariant 4. A job that cannot be given out moves nothing, and one that is
/// parked is named as damaged.
macro_rules! nothing_moves {
    () => {
        "status IN ('running', 'awaiting_human', 'blocked')
        AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE pipeline = pipelines.id AND kind <> 'cleanup' AND damaged IS NULL
                AND +state IN ('queued', 'running')
        )
        AND NOT EXISTS (SELECT 1 FROM decisions WHERE pipeline = pipelines.id AND state = 'open')
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = pipelines.id)"
    };
}
pub(crate) use nothing_moves;

const LIST: &str = concat!(
    "SELECT id, version FROM pipelines INDEXED BY pipelines_newest WHERE ",
    nothing_moves!(),
    " ORDER BY created_at DESC, id DESC"
);

pub(crate) const STATEMENTS: &[&str] = &[LIST];

struct StrandedRow {
    id: String,
    version: i64,
}

impl TableRow for StrandedRow {
    const TABLE: &'static str = "pipelines";
    const PIPELINE: usize = 0;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, version: row.get(1)? })
    }
}

impl TryFrom<StrandedRow> for Stranded {
    type Error = Error;

    fn try_from(row: StrandedRow) -> Result<Self, Error> {
        let StrandedRow { id, version } = row;
        let damage = Damage { table: StrandedRow::TABLE, id: &id };
        Ok(Self {
            pipeline: damage.in_column("id", id.parse::<PipelineId>())?,
            version: damage.in_column("version", u64::try_from(version))?,
        })
    }
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<Stranded>, Error> {
    rows::list::<StrandedRow, _>(connection, LIST, [], "list the pipelines that nothing will move")
}
