//! Why what lies in the place of the database cannot be used, in words for a person.

use std::{
    error::Error as StdError,
    fs::{self, File, OpenOptions},
    io,
    sync::Arc,
};

use camino::Utf8Path;
use ports::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::{
    connection,
    error::{Doing as _, Error},
    file_limit, migrations,
};

/// What is only in a data directory that had a database. The evidence of `gate run` needs none.
const TRACES: [&str; 3] = ["mirrors", "workspaces", "runs"];

/// How a database came to be damaged, as far as what SQLite says tells.
const CUT: &str = "it was cut short, or something else has written to it";
const ODD_INDEX: &str = "an index in it does not agree with its table";

/// How SQLite says that a statement names what is not there.
const MISSING_PARTS: [&str; 4] =
    ["no such index", "no such table", "no such column", "has no column named"];

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
        said: Code,
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
    #[error("{database} is damaged: {what}")]
    Damaged {
        /// The file.
        database: String,
        /// In words.
        what: &'static str,
        /// What SQLite said.
        #[source]
        said: Code,
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
    /// A part of it that our statements go by is not there any more.
    #[error("{database} was changed by something else: {what}")]
    Changed {
        /// The file.
        database: String,
        /// What SQLite misses.
        what: String,
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
    /// A limit of the process stands in the way, as `ulimit -f` sets it.
    #[error("{database} cannot grow: no file of this process may be longer than {limit} bytes")]
    Limited {
        /// The file.
        database: String,
        /// The limit.
        limit: u64,
    },
}

/// A number for whoever knows SQLite.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("code {0} of SQLite")]
pub struct Code(i32);

impl Unusable {
    /// The port's error.
    pub(crate) fn into_error(self) -> StoreError {
        self.met("open the database")
    }

    /// The same, met while this was being done.
    pub(crate) fn met(self, operation: &'static str) -> StoreError {
        StoreError::Unusable { operation, source: Box::new(self) }
    }

    /// Why a store cannot be used, where it is one of these.
    #[must_use]
    pub fn find_in(error: &StoreError) -> Option<&Self> {
        match error {
            StoreError::Unusable { operation: _, source } => source.downcast_ref(),
            StoreError::Database { .. }
            | StoreError::InUse { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Inconsistent { .. }
            | StoreError::Overloaded { .. }
            | StoreError::DiskFull { .. }
            | StoreError::ReadOnly { .. } => None,
        }
    }

    /// What SQLite says of a statement of ours that it does not understand: those are right for the tables that the
    /// migrations make.
    pub(crate) fn of_statement(error: &rusqlite::Error, place: &str) -> Option<Self> {
        let said = match error {
            rusqlite::Error::SqliteFailure(_, Some(said)) => said,
            rusqlite::Error::SqlInputError { msg, .. } => msg,
            _ => return None,
        };
        let is_generic = error.sqlite_error()?.extended_code == ffi::SQLITE_ERROR;
        let names_a_part = MISSING_PARTS.iter().any(|words| said.contains(words));
        (is_generic && names_a_part)
            .then(|| Self::Changed { database: place.to_owned(), what: said.clone() })
    }

    /// What SQLite says of a file that it cannot use.
    pub(crate) fn of_sql(error: ffi::Error, place: &str) -> Option<Self> {
        let (database, said) = (place.to_owned(), Code(error.extended_code));
        match (error.code, error.extended_code) {
            (ErrorCode::NotADatabase, _) => Some(Self::NoDatabase { database, said }),
            (ErrorCode::DatabaseCorrupt, ffi::SQLITE_CORRUPT_INDEX) => {
                Some(Self::Damaged { database, what: ODD_INDEX, said })
            }
            (ErrorCode::DatabaseCorrupt, _) => Some(Self::Damaged { database, what: CUT, said }),
            (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => {
                let limit = file_limit::in_the_way(Utf8Path::new(place))?;
                Some(Self::Limited { database, limit })
            }
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
