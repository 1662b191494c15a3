//! Brings the tables to the form that this version knows: forward only, one transaction each.

use ports::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::{
    error::{Doing, Error},
    unusable::Unusable,
};

/// One change of the tables: its name, and plain SQL that is never edited once released.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// All of them, in order. The database's `user_version` says how many it has had.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_first", sql: include_str!("../migrations/0001_first.sql") },
    Migration { name: "0002_outbox", sql: include_str!("../migrations/0002_outbox.sql") },
    Migration { name: "0003_breakers", sql: include_str!("../migrations/0003_breakers.sql") },
    Migration { name: "0004_damage", sql: include_str!("../migrations/0004_damage.sql") },
];

#[derive(Debug, thiserror::Error)]
#[error(
    "its schema is {found}, this version needs {known}: the next start of the orchestrator brings it there"
)]
struct OldSchema {
    found: u32,
    known: u32,
}

/// Applies what is missing.
pub(crate) fn migrate(connection: &mut Connection, place: &str) -> Result<(), StoreError> {
    migrate_to(connection, known(), place)
}

/// Applies what is missing to have the first `target` migrations.
pub(crate) fn migrate_to(
    connection: &mut Connection,
    target: u32,
    place: &str,
) -> Result<(), StoreError> {
    let done = found(connection, place)?;
    for (number, migration) in (1..=target).zip(MIGRATIONS).skip(done as usize) {
        apply(connection, number, migration).map_err(|error| error.at(place))?;
        tracing::debug!(migration = migration.name, "migrated the database to schema {number}");
    }
    Ok(())
}

/// Refuses a database that has not exactly the form that this version knows.
pub(crate) fn check(connection: &Connection, place: &str) -> Result<(), StoreError> {
    let (found, known) = (found(connection, place)?, known());
    if found < known {
        return Err(Error::refused(
            "read a database of an older version",
            OldSchema { found, known },
        )
        .at(place));
    }
    Ok(())
}

/// How many migrations the database has had. Refuses one that has had more than there are.
pub(crate) fn found(connection: &Connection, place: &str) -> Result<u32, StoreError> {
    let found: rusqlite::Result<i64> =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    let found = found.doing("read the schema's version").map_err(|error| error.at(place))?;
    let Ok(found) = u32::try_from(found) else {
        let what = format!("its schema says {found}");
        return Err(Unusable::Foreign { database: place.to_owned(), what }.into_error());
    };
    if found > known() { Err(StoreError::NewerSchema { found, known: known() }) } else { Ok(found) }
}

/// How many there are.
pub(crate) fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("a person wrote each of them")
}

fn apply(connection: &mut Connection, number: u32, migration: &Migration) -> Result<(), Error> {
    let operation = "migrate the database";
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(operation)?;
    tx.execute_batch(migration.sql).doing(operation)?;
    tx.pragma_update(None, "user_version", number).doing(operation)?;
    tx.commit().doing(operation)
}
