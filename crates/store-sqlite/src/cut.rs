//! Whether the end of the database's file is there.
//!
//! SQLite refuses a file that lacks a whole page. One that was begun it takes for whole, and reads what is missing of it as
//! nothing, until a row on it is needed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::StoreError;
use rusqlite::Connection;

use crate::{
    error::{Doing as _, Error},
    unusable::Unusable,
};

/// Bytes at the beginning of a write-ahead log, and of each of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Where the salt is in each: frames with another one are left from before the log was begun anew.
const LOG_SALT: std::ops::Range<usize> = 16..24;
const FRAME_SALT: std::ops::Range<usize> = 8..16;

/// Refuses a database whose end is neither in its file nor in its log.
pub(crate) fn refuse_cut(connection: &Connection, database: &Utf8Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Database {
        operation: "look how long the database is",
        source: Box::new(source),
    };
    let (pages, page_bytes) = size(connection).map_err(|error| error.at(database.as_str()))?;
    let needed = pages.saturating_mul(page_bytes);
    // Asked for first: whoever writes meanwhile makes the file longer, and then its log shorter.
    let has = fs::metadata(database).map_err(failed)?.len();
    if has >= needed {
        return Ok(());
    }
    let logged = logged_pages(database, page_bytes).map_err(failed)?;
    let first_missing = has / page_bytes + 1;
    if (first_missing..=pages).all(|page| logged.contains(&page)) {
        return Ok(());
    }
    let has = fs::metadata(database).map_err(failed)?.len();
    if has >= needed {
        return Ok(());
    }
    Err(Unusable::Cut { database: database.to_string(), has, needed }.into_error())
}

/// How many pages the database has, its log considered, and how long each is.
fn size(connection: &Connection) -> Result<(u64, u64), Error> {
    let ask = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, u32>(0));
    let pages = ask("PRAGMA page_count").doing("look how long the database is")?;
    let page_bytes = ask("PRAGMA page_size").doing("look how long the database is")?;
    Ok((pages.into(), page_bytes.into()))
}

/// The pages that the log of a database holds. Opened and closed freely: SQLite's locks are on other files.
fn logged_pages(database: &Utf8Path, page_bytes: u64) -> io::Result<BTreeSet<u64>> {
    let mut log = match File::open(Utf8PathBuf::from(format!("{database}-wal"))) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let mut pages = BTreeSet::new();
    let Some(header) = read::<LOG_HEADER>(&mut log)? else { return Ok(pages) };
    while let Some(frame) = read::<FRAME_HEADER>(&mut log)? {
        let [a, b, c, d, ..] = frame;
        if frame[FRAME_SALT] == header[LOG_SALT] {
            pages.insert(u32::from_be_bytes([a, b, c, d]).into());
        }
        log.seek(SeekFrom::Current(i64::try_from(page_bytes).unwrap_or(i64::MAX)))?;
    }
    Ok(pages)
}

/// So many bytes; `None` where there are fewer.
fn read<const N: usize>(from: &mut File) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match from.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
