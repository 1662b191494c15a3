//! Definitions: kept for good, because running pipelines have pinned them.

use domain::definition::{Definition, DefinitionHash};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, TableRow};
use crate::{document, error::Error};

const SAVE: &str =
    "INSERT INTO definitions (hash, document) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING";
const MEND: &str = "UPDATE definitions SET document = ?2 WHERE hash = ?1";
const FIND: &str = "SELECT hash, document FROM definitions WHERE hash = ?1";

pub(crate) const STATEMENTS: &[&str] = &[SAVE, MEND, FIND];

struct DefinitionRow {
    hash: String,
    document: String,
}

impl TableRow for DefinitionRow {
    const TABLE: &'static str = "definitions";
    /// It belongs to none: any may go by it.
    const PIPELINE: usize = 0;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { hash: row.get(0)?, document: row.get(1)? })
    }
}

impl TryFrom<DefinitionRow> for Definition {
    type Error = Error;

    fn try_from(row: DefinitionRow) -> Result<Self, Error> {
        let DefinitionRow { hash, document } = row;
        let damage = Damage { table: DefinitionRow::TABLE, id: &hash };
        damage.in_column("document", document::decode(&document))
    }
}

/// Keeps a definition, unless it is kept already. A row that is damaged is written anew: it can have said nothing else.
pub(crate) fn save(
    connection: &Connection,
    hash: &DefinitionHash,
    definition: &Definition,
) -> Result<(), Error> {
    let document = document::encode(definition)?;
    let params = params![hash.0, document];
    let is_new = rows::write(connection, SAVE, params, "save the definition")? == 1;
    if !is_new && matches!(find(connection, hash), Err(Error::Damaged { .. })) {
        rows::write(connection, MEND, params, "mend the definition")?;
    }
    Ok(())
}

pub(crate) fn find(
    connection: &Connection,
    hash: &DefinitionHash,
) -> Result<Option<Definition>, Error> {
    rows::find::<DefinitionRow, _>(connection, FIND, [&hash.0], "find the definition")
}
