//! Breakers: read, and written by compare-and-set.

use domain::breaker::{Breaker, BreakerKey, BreakerState, BreakerStateTag};
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, TableRow, integer};
use crate::{document, error::Error};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT key, version, state, document FROM breakers ", $rest)
    };
}

const FIND: &str = select!("WHERE key = ?1");
const LIST: &str = select!("ORDER BY key");
const LIST_HOLDING: &str = select!("WHERE state <> 'closed' ORDER BY key");
const CHANGE: &str = "UPDATE breakers SET version = ?2, state = ?3, document = ?4 WHERE key = ?1 AND version = ?2 - 1";
const KEEP: &str = "INSERT INTO breakers (key, version, state, document) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key) DO NOTHING";

pub(crate) const STATEMENTS: &[&str] = &[FIND, LIST, LIST_HOLDING, CHANGE, KEEP];

struct BreakerRow {
    key: String,
    version: i64,
    state: String,
    document: String,
}

impl TableRow for BreakerRow {
    const TABLE: &'static str = "breakers";
    /// It belongs to none: any may wait for it.
    const PIPELINE: usize = 0;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            version: row.get(1)?,
            state: row.get(2)?,
            document: row.get(3)?,
        })
    }
}

impl TryFrom<BreakerRow> for Breaker {
    type Error = Error;

    /// A state that cannot be read counts as closed: the next run shows what is so, and no pipeline has to wait for
    /// somebody who can mend a row.
    fn try_from(row: BreakerRow) -> Result<Self, Error> {
        let damage = Damage { table: BreakerRow::TABLE, id: &row.key };
        let key = damage.in_column("key", BreakerKey::new(row.key.clone()))?;
        let version = damage.in_column("version", row.version.try_into())?;
        let decoded = document::decode::<BreakerState>(&row.document)
            .map_err(|what| format!("document: {what}"))
            .and_then(|state| {
                let same = BreakerStateTag::from(&state).to_string() == row.state;
                if same { Ok(state) } else { Err("state: contradicts the document".to_owned()) }
            });
        let state = decoded.unwrap_or_else(|what| {
            tracing::error!(
                table = BreakerRow::TABLE,
                row.id = row.key,
                "took a damaged breaker for closed: {what}"
            );
            BreakerState::Closed { failures: 0 }
        });
        Ok(Self { key, version, state })
    }
}

/// The breaker of a key, written or not.
pub(crate) fn load(connection: &Connection, key: &BreakerKey) -> Result<Breaker, Error> {
    let found = rows::find::<BreakerRow, _>(connection, FIND, [key.as_str()], "find a breaker")?;
    Ok(found.unwrap_or_else(|| Breaker::new(key.clone())))
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<Breaker>, Error> {
    rows::list::<BreakerRow, _>(connection, LIST, [], "list the breakers")
}

/// Those that hold something back.
pub(crate) fn list_holding(connection: &Connection) -> Result<Vec<Breaker>, Error> {
    rows::list::<BreakerRow, _>(connection, LIST_HOLDING, [], "list the breakers that are open")
}

/// Whether `breaker` is what comes after what is stored.
pub(crate) fn is_next(connection: &Connection, breaker: &Breaker) -> Result<bool, Error> {
    Ok(load(connection, &breaker.key)?.version + 1 == breaker.version)
}

/// Writes a breaker where the stored version is one lower. Says whether it was.
pub(crate) fn save(connection: &Connection, breaker: &Breaker) -> Result<bool, Error> {
    let Breaker { key, version, state } = breaker;
    let tag = BreakerStateTag::from(state).to_string();
    let params = params![key.as_str(), integer(*version), tag, document::encode(state)?];
    let sql = if *version == 1 { KEEP } else { CHANGE };
    Ok(rows::write(connection, sql, params, "save a breaker")? == 1)
}
