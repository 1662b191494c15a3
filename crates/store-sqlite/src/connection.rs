//! Connections: one that writes, some that only read, one in memory; and the settings of each.

use std::time::{Duration, Instant};

use camino::Utf8Path;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Doing, Error};

/// Older ones can corrupt a database when a write-ahead log is reset under load.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// More than there are statements.
const STATEMENTS_KEPT: usize = 128;
/// A reader that takes longer keeps the write-ahead log from being trimmed.
const READ_TIME_MAX: Duration = Duration::from_secs(10);
/// How often a reader looks at the clock, in steps of SQLite's virtual machine.
const STEPS_PER_LOOK: i32 = 10_000;

/// For both: waits for a lock, believes no row to exist that must not, and maps no file into memory.
const SETTINGS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
";

/// `synchronous = FULL` is the promise that an answer outlives a power cut.
const WRITER_SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 10000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -8192;
";

const READER_SETTINGS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -2048;
";

#[derive(Debug, thiserror::Error)]
#[error("SQLite {found} is too old, {SQLITE_VERSION_MIN} is needed")]
struct OldSqlite {
    found: i32,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the database keeps its journal as `{found}`, not as `wal`: its file system cannot share memory"
)]
struct NoWriteAheadLog {
    found: String,
}

/// The connection that writes. The file is there already, with the right permissions.
pub(crate) fn for_writing(database: &Utf8Path) -> Result<Connection, Error> {
    check_version()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(database, flags)?;
    settle(&connection, WRITER_SETTINGS)?;
    let journal: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .doing("read the settings of the database")?;
    if journal != "wal" {
        return Err(Error::refused("open the database", NoWriteAheadLog { found: journal }));
    }
    Ok(connection)
}

/// A connection that only reads. A read that begins after a commit sees it: that is how WAL works.
pub(crate) fn for_reading(database: &Utf8Path) -> Result<Connection, Error> {
    check_version()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(database, flags)?;
    settle(&connection, READER_SETTINGS)?;
    Ok(connection)
}

/// A connection that only reads, and may take its time: for the whole of a database at once.
pub(crate) fn for_copying(database: &Utf8Path) -> Result<Connection, Error> {
    check_version()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(database, flags)?;
    settle(&connection, "PRAGMA cache_size = -2048;")?;
    Ok(connection)
}

/// The same tables, kept nowhere.
pub(crate) fn in_memory() -> Result<Connection, Error> {
    check_version()?;
    let connection = Connection::open_in_memory().doing("open a database in memory")?;
    settle(&connection, "")?;
    Ok(connection)
}

/// Gives a reading connection its time from now on.
pub(crate) fn limit_time(connection: &mut Connection) -> Result<(), Error> {
    let end = Instant::now() + READ_TIME_MAX;
    connection
        .progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() > end))
        .doing("limit a read")
}

fn check_version() -> Result<(), Error> {
    let found = rusqlite::version_number();
    if found < SQLITE_VERSION_MIN {
        Err(Error::refused("open the database", OldSqlite { found }))
    } else {
        Ok(())
    }
}

fn open(database: &Utf8Path, flags: OpenFlags) -> Result<Connection, Error> {
    Connection::open_with_flags(database.as_std_path(), flags).doing("open the database")
}

fn settle(connection: &Connection, settings: &str) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    let settled =
        connection.execute_batch(SETTINGS).and_then(|()| connection.execute_batch(settings));
    settled.doing("set up the connection to the database")
}
