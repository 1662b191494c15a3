//! The data directory: made for us alone, held by one process at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::StoreError;

use crate::unusable::{self, Place, Unusable};

const DATABASE: &str = "gatewright.db";
const LOCK: &str = "lock";
/// How often a lock is tried that somebody may only be looking at.
const LOOKS_MAX: u32 = 10;
/// Between two of them.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Where a backup is unpacked, in the data directory itself. As long as it is there and the database is not, the
/// directory is half restored, and nothing may begin in it.
pub const RESTORING: &str = "restoring";

#[derive(Debug, thiserror::Error)]
#[error("{data_dir} is half restored: restore it again, or move {data_dir}/{RESTORING} away")]
struct HalfRestored {
    data_dir: String,
}

/// The database in that directory.
pub(crate) fn database(data_dir: &Utf8Path) -> Utf8PathBuf {
    data_dir.join(DATABASE)
}

/// The name of the database in a data directory.
#[must_use]
pub const fn database_file() -> &'static str {
    DATABASE
}

/// Takes a data directory for `holder` without opening what is in it. Makes it where it is missing.
pub fn hold(data_dir: &Utf8Path, holder: &str) -> Result<DirectoryLock, StoreError> {
    take(data_dir, holder)
}

/// The database of that directory, which must be there.
pub(crate) fn existing(data_dir: &Utf8Path) -> Result<Utf8PathBuf, StoreError> {
    refuse_half_restored(data_dir)?;
    let database = database(data_dir);
    match unusable::look(data_dir, &database)? {
        Place::Filled => Ok(database),
        Place::Missing | Place::Empty => {
            Err(Unusable::Nothing { data_dir: data_dir.to_string() }.into_error())
        }
    }
}

/// Refuses a directory whose restore has not ended. The database comes last, so that its absence says so.
fn refuse_half_restored(data_dir: &Utf8Path) -> Result<(), StoreError> {
    if data_dir.join(RESTORING).exists() && !database(data_dir).exists() {
        let source = Box::new(HalfRestored { data_dir: data_dir.to_string() });
        return Err(StoreError::Database { operation: "open the database", source });
    }
    Ok(())
}

/// The right to write, until it is dropped or the process ends, however it ends.
///
/// The file stays: whoever removed it could lock another one than the process that waits for it.
#[derive(Debug)]
pub struct DirectoryLock {
    #[expect(dead_code, reason = "the lock is held as long as the file is open")]
    file: File,
}

/// Makes the directory if need be, and takes it for `holder`.
pub(crate) fn take(data_dir: &Utf8Path, holder: &str) -> Result<DirectoryLock, StoreError> {
    let failed = |operation| move |error| failed(data_dir, operation, error);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(failed("make the data directory"))?;
    let path = data_dir.join(LOCK);
    let mut file = private().open(&path).map_err(failed("open the lock of the data directory"))?;
    match patiently(|| file.try_lock()) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(data_dir, &path)),
        Err(TryLockError::Error(error)) => return Err(failed("lock the data directory")(error)),
    }
    let written = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
    written.map_err(failed("write who holds the data directory"))?;
    Ok(DirectoryLock { file })
}

/// Whoever only asks who holds a directory holds it for a moment, which must not turn away a process that wants to work.
fn patiently(lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    for _ in 1..LOOKS_MAX {
        match lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_PAUSE),
            other => return other,
        }
    }
    lock()
}

/// Who holds the data directory, in its own words. Nobody does where no process is alive that could change anything.
pub fn find_holder(data_dir: &Utf8Path) -> Result<Option<String>, StoreError> {
    let path = data_dir.join(LOCK);
    let failed = |error| failed(data_dir, "ask who holds the data directory", error);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(holder(&path))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The database's file, if this call made it: a start that fails takes back what it made.
#[derive(Debug)]
#[must_use]
pub(crate) struct NewDatabase(Option<Utf8PathBuf>);

/// Makes the database's file if there is none. Its companions get the same permissions from SQLite.
pub(crate) fn make_database(data_dir: &Utf8Path) -> Result<NewDatabase, StoreError> {
    refuse_half_restored(data_dir)?;
    let path = database(data_dir);
    match unusable::look(data_dir, &path)? {
        Place::Filled | Place::Empty => return Ok(NewDatabase(None)),
        Place::Missing => {}
    }
    match private().create_new(true).open(&path) {
        Ok(_) => Ok(NewDatabase(Some(path))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(NewDatabase(None)),
        Err(error) => Err(failed(data_dir, "make the database", error)),
    }
}

impl NewDatabase {
    /// Whether this call made it.
    pub(crate) const fn is_new(&self) -> bool {
        self.0.is_some()
    }

    /// It is whole: it stays.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for NewDatabase {
    fn drop(&mut self) {
        let Some(path) = self.0.take() else { return };
        for name in [
            path.clone(),
            Utf8PathBuf::from(format!("{path}-wal")),
            Utf8PathBuf::from(format!("{path}-shm")),
        ] {
            match fs::remove_file(&name) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(path = %name, error = &error as &dyn std::error::Error, "could not remove what a failed start left");
                }
                _ => {}
            }
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn in_use(data_dir: &Utf8Path, lock: &Utf8Path) -> StoreError {
    StoreError::InUse { path: data_dir.to_string(), holder: holder(lock) }
}

fn holder(lock: &Utf8Path) -> String {
    let holder = fs::read_to_string(lock).unwrap_or_default();
    if holder.is_empty() { "another process".to_owned() } else { holder }
}

fn failed(data_dir: &Utf8Path, operation: &'static str, error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull { operation },
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists => StoreError::ReadOnly { path: data_dir.to_string() },
        _ => StoreError::Database { operation, source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
        (directory, path)
    }

    #[test]
    fn the_holder_of_a_directory_is_named_as_long_as_it_lives() {
        let (_directory, data_dir) = directory();
        assert_eq!(find_holder(&data_dir).unwrap(), None, "there is no lock yet");
        let lock = take(&data_dir, "pid 7, `gatewright run`").unwrap();
        assert_eq!(find_holder(&data_dir).unwrap().as_deref(), Some("pid 7, `gatewright run`"));
        assert!(matches!(take(&data_dir, "another"), Err(StoreError::InUse { .. })));
        drop(lock);
        assert_eq!(find_holder(&data_dir).unwrap(), None, "its words are still there, it is not");
    }

    #[test]
    fn a_start_that_fails_takes_back_what_it_made() {
        let (_directory, data_dir) = directory();
        let made = make_database(&data_dir).unwrap();
        fs::write(data_dir.join("gatewright.db-wal"), "").unwrap();
        drop(made);
        assert_eq!(data_dir.read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn a_start_that_fails_leaves_what_was_there() {
        let (_directory, data_dir) = directory();
        make_database(&data_dir).unwrap().keep();
        drop(make_database(&data_dir).unwrap());
        assert!(database(&data_dir).exists());
    }

    #[test]
    fn a_full_disk_is_told_from_one_that_cannot_be_written() {
        let error = |kind| failed("/data".into(), "make the database", io::Error::from(kind));
        assert!(matches!(error(ErrorKind::StorageFull), StoreError::DiskFull { .. }));
        assert!(matches!(error(ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly { .. }));
        assert!(matches!(error(ErrorKind::PermissionDenied), StoreError::ReadOnly { .. }));
        assert!(matches!(error(ErrorKind::Interrupted), StoreError::Database { .. }));
    }
}
