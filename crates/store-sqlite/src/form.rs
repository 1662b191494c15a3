//! Whether the tables, indexes and triggers of a database are as the migrations make them.

use ports::StoreError;
use rusqlite::Connection;

use crate::{
    connection,
    error::{Doing as _, Error},
    migrations,
};

/// A table, an index or a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    kind: String,
    name: String,
    sql: String,
}

/// Those of a database.
pub(crate) fn parts(connection: &Connection) -> Result<Vec<Part>, Error> {
    let find = || {
        // What SQLite makes by itself for a constraint has no text, and its statistics are nobody's.
        let mut statement = connection.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'",
        )?;
        let parts = statement.query_map([], |row| {
            Ok(Part { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)? })
        })?;
        parts.collect()
    };
    let parts: rusqlite::Result<Vec<Part>> = find();
    parts.doing("read the tables of the database")
}

/// The first part that is not as that schema has it. A file from outside must bring no code, and statements go by what
/// the migrations have made.
pub(crate) fn find_odd(
    found: &[Part],
    schema: u32,
    place: &str,
) -> Result<Option<String>, StoreError> {
    let mut expected = connection::in_memory().map_err(|error| error.at(place))?;
    migrations::migrate_to(&mut expected, schema, place)?;
    let expected = parts(&expected).map_err(|error| error.at(place))?;
    let one_sided = |a: &[Part], b: &[Part]| a.iter().find(|part| !b.contains(part)).cloned();
    let odd = one_sided(found, &expected).or_else(|| one_sided(&expected, found));
    Ok(odd.map(|Part { kind, name, .. }| format!("the {kind} `{name}` differs")))
}
