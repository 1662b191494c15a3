//! What goes wrong below the port, and which of the port's errors it is.

use std::{error::Error as StdError, sync::Arc};

use ports::StoreError;
use rusqlite::{ErrorCode, ffi};

use crate::unusable::Unusable;

/// What goes wrong below the port. Unlike [`StoreError`] it does not know the directory.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// SQLite said no.
    Sql { operation: &'static str, source: Arc<rusqlite::Error> },
    /// A row that cannot be.
    Damaged { table: &'static str, id: String, what: String },
    /// A value that cannot be written, or a thread that is gone.
    Refused { operation: &'static str, source: Arc<dyn StdError + Send + Sync> },
    /// The store was opened for reading.
    ReadOnly,
    /// Too much is waiting already.
    Overloaded { waiting: usize },
}

impl Error {
    pub(crate) fn refused(
        operation: &'static str,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self::Refused { operation, source: Arc::new(source) }
    }

    /// The port's error, for the data in `place`.
    pub(crate) fn at(self, place: &str) -> StoreError {
        match self {
            Self::Sql { operation, source } => sql(operation, source, place),
            Self::Damaged { table, id, what } => StoreError::Inconsistent { table, id, what },
            Self::Refused { operation, source } => {
                StoreError::Database { operation, source: Box::new(source) }
            }
            Self::ReadOnly => StoreError::ReadOnly { path: place.to_owned() },
            Self::Overloaded { waiting } => StoreError::Overloaded { waiting },
        }
    }
}

fn sql(operation: &'static str, source: Arc<rusqlite::Error>, place: &str) -> StoreError {
    let said = source.sqlite_error().copied();
    let unusable = said.and_then(|said| Unusable::of_sql(said, place));
    if let Some(unusable) = unusable.or_else(|| Unusable::of_statement(&source, place)) {
        return unusable.met(operation);
    }
    match said.map(|said| (said.code, said.extended_code)) {
        // The shared memory file cannot grow: SQLite reports a full disk as an I/O error there.
        Some((ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE)) => {
            StoreError::DiskFull { operation }
        }
        Some((ErrorCode::ReadOnly, _)) => StoreError::ReadOnly { path: place.to_owned() },
        _ => StoreError::Database { operation, source: Box::new(source) },
    }
}

/// Says what was being done when SQLite said no.
pub(crate) trait Doing<T> {
    fn doing(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Sql { operation, source: Arc::new(source) })
    }
}
