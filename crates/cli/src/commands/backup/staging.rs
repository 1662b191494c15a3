//! Where a backup is put together: a directory beside the file that it is to become.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::cannot;
use crate::error::CliError;

const LOCK: &str = "lock";

/// The directory. It is gone with everything in it as soon as it is dropped; one that a killed process has left is
/// emptied by the next, one that somebody works in is refused.
pub(super) struct Staging {
    dir: Utf8PathBuf,
    _lock: File,
}

impl Staging {
    /// Makes the directory for `file`.
    pub(super) fn begin(file: &Utf8Path) -> Result<Self, CliError> {
        let dir = Utf8PathBuf::from(format!("{file}.partial"));
        let failed = cannot("make", &dir);
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let lock = private().open(dir.join(LOCK)).map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CliError::new(format!("another backup is being written to {file}"))
                    .help("wait for it, or name another file"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        empty(&dir).map_err(&failed)?;
        drop(failed);
        Ok(Self { dir, _lock: lock })
    }

    /// A place in it.
    pub(super) fn path(&self, name: &str) -> Utf8PathBuf {
        self.dir.join(name)
    }

    /// Gives a finished file in it its name, durably.
    pub(super) fn hand_over(&self, written: &str, file: &Utf8Path) -> Result<(), CliError> {
        let hand_over = || -> io::Result<()> {
            fs::rename(self.path(written), file)?;
            let parent = file.parent().filter(|dir| !dir.as_str().is_empty());
            File::open(parent.unwrap_or(Utf8Path::new(".")))?.sync_all()
        };
        hand_over().map_err(cannot("write", file))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next backup to this file removes what cannot be removed now.
        fs::remove_dir_all(&self.dir).ok();
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn empty(dir: &Utf8Path) -> io::Result<()> {
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
