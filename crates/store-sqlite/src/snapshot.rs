//! The whole database as one file: taken while another process writes, looked over, brought back.

use camino::Utf8Path;
use domain::{failure::Failure, run::RunOutcome};
use jiff::Timestamp;
use ports::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};

use crate::{
    SqliteStore, connection, cut, data_dir,
    error::{Doing, Error},
    file_limit, form, migrations,
    ops::runs,
    unusable::Unusable,
};

/// Problems that are named; a file with more of them is named by the first.
const PROBLEMS_MAX: usize = 20;

/// What a database file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many migrations it has had.
    pub schema: u32,
    /// Pipelines, ended ones included.
    pub pipelines: u64,
    /// Events.
    pub events: u64,
    /// Rows that name a row which is not there, at most twenty: `jobs 7 names a row of pipelines that is not there`.
    pub dangling: Vec<String>,
}

/// Why there is no copy: which of the two files is at fault.
#[derive(Debug, thiserror::Error)]
pub enum NoCopy {
    /// The database that was to be copied.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The copy, or the disk that it was to lie on.
    #[error(transparent)]
    Copy(StoreError),
}

/// The file is no database of ours, or not whole any more.
#[derive(Debug, thiserror::Error)]
enum NoSnapshot {
    #[error("{file} is damaged: {what}")]
    Damaged { file: String, what: String },
    #[error("{file} is no database of gatewright")]
    Foreign { file: String },
    #[error("the tables of {file} are not those of schema {schema}: {what}")]
    OtherTables { file: String, schema: u32, what: String },
}

/// Writes everything that is committed in a data directory into a new file, as of one moment.
///
/// Reads only, so that it works while another process has the directory; takes neither more memory nor longer turns
/// from that process than any other reader. Blocks the thread for as long as it takes.
pub fn snapshot(data_dir: &Utf8Path, file: &Utf8Path) -> Result<(), NoCopy> {
    let database = data_dir::existing(data_dir)?;
    let place = database.as_str();
    let connection = connection::for_copying(&database).map_err(|error| error.at(place))?;
    migrations::found(&connection, place)?;
    cut::refuse_cut(&connection, &database)?;
    // The pages that are in use, in order: never a copy of the file, which another process changes meanwhile.
    let written = connection.execute("VACUUM INTO ?1", [file.as_str()]);
    let written = written.map(drop).doing("copy the database");
    written.map_err(|error| {
        if is_about_writing(&error) {
            let limited = limit_met(&error, &database, file);
            NoCopy::Copy(limited.unwrap_or_else(|| error.at(file.as_str())))
        } else {
            NoCopy::Database(error.at(place))
        }
    })
}

/// Whether SQLite met it while it wrote. Of the two files only the copy is written.
fn is_about_writing(error: &Error) -> bool {
    let Error::Sql { operation: _, source } = error else { return false };
    let Some(said) = source.sqlite_error() else { return false };
    match said.code {
        ErrorCode::DiskFull | ErrorCode::CannotOpen | ErrorCode::ReadOnly => true,
        ErrorCode::SystemIoFailure => matches!(
            said.extended_code,
            ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
                | ffi::SQLITE_IOERR_TRUNCATE
                | ffi::SQLITE_IOERR_CLOSE
        ),
        _ => false,
    }
}

/// The limit on the length of files that a write has met, which SQLite tells as any fault. What was written is gone by
/// now; the database, which is no shorter, is still there to be measured.
fn limit_met(error: &Error, database: &Utf8Path, file: &Utf8Path) -> Option<StoreError> {
    let Error::Sql { operation, source } = error else { return None };
    if source.sqlite_error()?.extended_code != ffi::SQLITE_IOERR_WRITE {
        return None;
    }
    let limit = file_limit::in_the_way(database)?;
    Some(Unusable::Limited { database: file.to_string(), limit }.met(operation))
}

/// Looks over a database file that nobody uses: that it is whole, that it is ours, that this version knows it.
pub fn examine(file: &Utf8Path) -> Result<Contents, StoreError> {
    let place = file.as_str();
    let connection = connection::for_copying(file).map_err(|error| error.at(place))?;
    // A row that cannot be parks its own pipeline and nothing else: that is no reason to refuse all the others.
    let lenient = connection.execute_batch("PRAGMA ignore_check_constraints = ON");
    let damage = lenient.doing("set up the connection to the database");
    let damage =
        damage.and_then(|()| integrity_check(&connection)).map_err(|error| error.at(place))?;
    if let Some(what) = damage.into_iter().next() {
        return Err(refused(file, NoSnapshot::Damaged { file: place.to_owned(), what }));
    }
    let schema = migrations::found(&connection, place)?;
    if schema == 0 {
        return Err(refused(file, NoSnapshot::Foreign { file: place.to_owned() }));
    }
    let found = form::parts(&connection).map_err(|error| error.at(place))?;
    if let Some(what) = form::find_odd(&found, schema, place)? {
        let file_name = place.to_owned();
        return Err(refused(file, NoSnapshot::OtherTables { file: file_name, schema, what }));
    }
    let look = || {
        Ok(Contents {
            schema,
            pipelines: count(&connection, "SELECT count(*) FROM pipelines")?,
            events: count(&connection, "SELECT count(*) FROM events")?,
            dangling: dangling(&connection)?,
        })
    };
    look().map_err(|error: Error| error.at(place))
}

fn count(connection: &Connection, sql: &str) -> Result<u64, Error> {
    let count: rusqlite::Result<i64> = connection.query_row(sql, [], |row| row.get(0));
    Ok(count.doing("count rows")?.unsigned_abs())
}

/// Brings the tables of a database file that nobody uses to the form that this version knows.
pub fn bring_up_to_date(file: &Utf8Path) -> Result<(), StoreError> {
    let place = file.as_str();
    let mut connection = connection::for_writing(file).map_err(|error| error.at(place))?;
    migrations::migrate(&mut connection, place)?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .doing("close the database")
        .map_err(|error| error.at(place))
}

impl SqliteStore {
    /// Ends every run that has not ended, whoever has its job: the agents of a database that was brought back from a copy
    /// are not in it.
    pub async fn end_all_runs(&self, at: Timestamp, failure: Failure) -> Result<(), StoreError> {
        self.write(move |connection| {
            for mut run in runs::list_open(connection)? {
                run.ended_at = Some(at);
                run.outcome = Some(RunOutcome::Failed { failure: failure.clone() });
                runs::save(connection, &run)?;
            }
            Ok(())
        })
        .await
    }
}

/// What SQLite finds wrong with the file itself; nothing where it is whole. Its quick check takes indexes for right that
/// do not agree with their tables.
pub(crate) fn integrity_check(connection: &Connection) -> Result<Vec<String>, Error> {
    let find = || {
        let mut statement =
            connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    let lines = find().doing("check the database")?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Rows that name a row which is not there.
pub(crate) fn dangling(connection: &Connection) -> Result<Vec<String>, Error> {
    let find = || {
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let rows = statement.query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            let row =
                row.get::<_, Option<i64>>(1)?.map(|row| format!(" {row}")).unwrap_or_default();
            Ok(format!("{table}{row} names a row of {parent} that is not there"))
        })?;
        rows.take(PROBLEMS_MAX).collect()
    };
    let rows: rusqlite::Result<Vec<String>> = find();
    rows.doing("check the database")
}

fn refused(file: &Utf8Path, why: NoSnapshot) -> StoreError {
    Error::refused("use the database", why).at(file.as_str())
}
