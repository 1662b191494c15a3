//! Why what lies in the place of the database cannot be used, in words for a person.

use std::{
    error::Error as StdError,
    fs::{self, File, OpenOptions},
    io,
    sync::Arc,
};

use camino::Utf8Path;
use ports::StoreError;
use rusqlite::{Connection, ErrorCode};

use crate::{
    connection,
    error::{Doing as _, Error},
    migrations,
};

/// What is only in a data directory that had a database. The evidence of `gate run` needs none.
const TRACES: [&str; 3] = ["mirrors", "workspaces", "runs"];

/// Why the database cannot be used as it is. Nothing of it was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unusable {
    /// Nothing was ever started in the directory.
    #[error("there is no database in {data_dir}: nothing was started there yet")]
    Nothing {
        /// The directory.
        data_dir: String,
    },
    /// It is gone or empty, and what it was about is still there.
    #[error("{database} is {how}, and beside it is what only it can tell of: {traces}")]
    Lost {
        /// Where it was.
        database: String,
        /// Missing, or empty.
        how: &'static str,
        /// The names of what is there.
        traces: String,
    },
    /// A directory, a pipe, a device.
    #[error("{database} is not a regular file")]
    NotAFile {
        /// Where it should be.
        database: String,
    },
    /// Whatever it is, SQLite did not write it, or nothing else would know it any more.
    #[error("{database} is no database: SQLite does not know it for one of its own")]
    NoDatabase {
        /// The file.
        database: String,
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A database of SQLite that holds something else.
    #[error("{database} is no database of gatewright: {what}")]
    Foreign {
        /// The file.
        database: String,
        /// What tells.
        what: String,
    },
    /// It was cut short or written over.
    #[error("{database} is damaged: it was cut short, or something else has written to it")]
    Damaged {
        /// The file, or its directory.
        database: String,
        /// What SQLite said.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// It lacks a part of its last page, which SQLite does not miss.
    #[error("{database} is damaged: its end is missing, {has} bytes of {needed} are there")]
    Cut {
        /// The file.
        database: String,
        /// Bytes that are there.
        has: u64,
        /// Bytes of the pages that it says to have.
        needed: u64,
    },
    /// The system does not let us.
    #[error(
        "{database} cannot be opened: its permissions or those of its directory are in the way"
    )]
    Closed {
        /// The file.
        database: String,
        /// What the system said.
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
}

impl Unusable {
    /// The port's error.
    pub(crate) fn into_error(self) -> StoreError {
        StoreError::Database { operation: "open the database", source: Box::new(self) }
    }

    /// Why a store could not be opened, where it is one of these.
    #[must_use]
    pub fn find_in(error: &StoreError) -> Option<&Self> {
        match error {
            StoreError::Database { operation: _, source } => source.downcast_ref(),
            StoreError::InUse { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Inconsistent { .. }
            | StoreError::Overloaded { .. }
            | StoreError::DiskFull { .. }
            | StoreError::ReadOnly { .. } => None,
        }
    }

    /// What SQLite says of a file that it cannot use.
    pub(crate) fn of_sql(source: &Arc<rusqlite::Error>, place: &str) -> Option<Self> {
        let (database, source) = (place.to_owned(), Arc::clone(source));
        match source.sqlite_error_code()? {
            ErrorCode::NotADatabase => Some(Self::NoDatabase { database, source }),
            ErrorCode::DatabaseCorrupt => Some(Self::Damaged { database, source }),
            _ => None,
        }
    }
}

/// What lies in the place of the database, without opening it: whoever closes a file loses SQLite's locks on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing.
    Missing,
    /// A file with nothing in it, as a start that was killed leaves it.
    Empty,
    /// A file.
    Filled,
}

/// Looks at the place of the database. Refuses what is no file, and a database that is lost.
pub(crate) fn look(data_dir: &Utf8Path, database: &Utf8Path) -> Result<Place, StoreError> {
    let place = match fs::metadata(database) {
        Ok(found) if !found.is_file() => {
            return Err(Unusable::NotAFile { database: database.to_string() }.into_error());
        }
        Ok(found) if found.len() == 0 => Place::Empty,
        Ok(_) => return Ok(Place::Filled),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Place::Missing,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let source = Arc::new(error);
            return Err(Unusable::Closed { database: database.to_string(), source }.into_error());
        }
        // A file in the place of the directory: whoever makes it says so.
        Err(_) => return Ok(Place::Missing),
    };
    refuse_lost(data_dir, database, if place == Place::Empty { "empty" } else { "missing" })?;
    Ok(place)
}

/// Why the database could not be opened, where the system keeps us out. SQLite says of every file that it did not get
/// that it cannot open it, also where this process has too many files open, or the disk has no room for another one.
pub(crate) fn on_opening(
    error: StoreError,
    data_dir: &Utf8Path,
    database: &Utf8Path,
) -> StoreError {
    let StoreError::Database { operation: _, source } = &error else { return error };
    let said = source.downcast_ref::<Arc<rusqlite::Error>>();
    if said.and_then(|said| said.sqlite_error_code()) != Some(ErrorCode::CannotOpen) {
        return error;
    }
    match find_wall(data_dir, database) {
        Some(wall) => {
            let (database, source) = (database.to_string(), Arc::new(wall));
            Unusable::Closed { database, source }.into_error()
        }
        None => error,
    }
}

/// Tries what SQLite does: to read the file, and to make another one beside it. It is tried where no connection could be
/// made, so there is none whose locks go with the file that is closed here.
fn find_wall(data_dir: &Utf8Path, database: &Utf8Path) -> Option<io::Error> {
    let is_wall = |error: &io::Error| {
        let kinds = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
        kinds.contains(&error.kind())
    };
    let beside = data_dir.join(format!("opening-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&beside);
    if made.is_ok() {
        fs::remove_file(&beside).ok();
    }
    [File::open(database), made].into_iter().filter_map(Result::err).find(is_wall)
}

/// Refuses a database without a table beside the work that a database was about.
fn refuse_lost(
    data_dir: &Utf8Path,
    database: &Utf8Path,
    how: &'static str,
) -> Result<(), StoreError> {
    let is_filled = |path: &Utf8Path| path.read_dir_utf8().is_ok_and(|mut it| it.next().is_some());
    let mut traces: Vec<String> = TRACES
        .iter()
        .filter(|name| is_filled(&data_dir.join(name)))
        .map(|name| format!("{name}/"))
        .collect();
    let log = format!("{database}-wal");
    if how == "missing" && fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        traces.push(log);
    }
    if traces.is_empty() {
        return Ok(());
    }
    let (database, traces) = (database.to_string(), traces.join(", "));
    Err(Unusable::Lost { database, how, traces }.into_error())
}

/// Refuses a database that SQLite can read and that is not ours: of another program, or with parts that are gone.
pub(crate) fn check_ours(
    connection: &Connection,
    data_dir: &Utf8Path,
    database: &Utf8Path,
) -> Result<(), StoreError> {
    let place = database.as_str();
    let schema = migrations::found(connection, place)?;
    let found = tables(connection).map_err(|error| error.at(place))?;
    if schema == 0 && found.is_empty() {
        return refuse_lost(data_dir, database, "empty");
    }
    let foreign = |what| Err(Unusable::Foreign { database: place.to_owned(), what }.into_error());
    if schema == 0 {
        return foreign(format!("it has tables of its own, such as `{}`", found[0]));
    }
    let mut ours = connection::in_memory().map_err(|error| error.at(place))?;
    migrations::migrate_to(&mut ours, schema, place)?;
    let ours = tables(&ours).map_err(|error| error.at(place))?;
    match ours.iter().find(|table| !found.contains(table)) {
        Some(table) => foreign(format!("the table `{table}` of schema {schema} is missing")),
        None => Ok(()),
    }
}

fn tables(connection: &Connection) -> Result<Vec<String>, Error> {
    let find = || {
        let mut statement = connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect()
    };
    let names: rusqlite::Result<Vec<String>> = find();
    names.doing("read the tables of the database")
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    /// SQLite has one word for all of it: too many open files, and a file that nobody may read.
    #[test]
    fn permissions_are_blamed_only_where_they_are_in_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = Utf8Path::from_path(directory.path()).unwrap();
        let database = data_dir.join("gatewright.db");
        fs::write(&database, "").unwrap();
        let said = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), None);
        let said = Error::Sql { operation: "open the database", source: Arc::new(said) };
        let error = said.at(database.as_str());
        assert!(Unusable::find_in(&error).is_none(), "{error:?}");
        let error = on_opening(error, data_dir, &database);
        assert!(Unusable::find_in(&error).is_none(), "{error:?}");
        assert_eq!(data_dir.read_dir_utf8().unwrap().count(), 1, "nothing is left of the look");
    }
}
