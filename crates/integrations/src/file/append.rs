//! Appends a line durably, once.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::OFlag;
use ports::Delivery;

use super::look_back::{End, look_back};

/// Readable by its owner: letters carry words of private projects.
const MODE: u32 = 0o600;

/// Why a line is not there, or not for certain.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    #[error("{path} is not a regular file")]
    NotAFile { path: Utf8PathBuf },
    #[error("{path} is locked by another process")]
    Locked { path: Utf8PathBuf },
    #[error("could not {operation} {path}: {source}")]
    Io { operation: &'static str, path: Utf8PathBuf, source: io::Error },
}

impl AppendError {
    /// All of it can be mended from outside: a person makes the directory, frees space, moves what is in the way.
    pub(super) fn delivery(&self) -> Delivery {
        Delivery::Retry { why: self.to_string(), after: None }
    }
}

/// Appends `line` unless one of that key is there. Returns once it is on the disk.
pub(super) fn append(path: &Utf8Path, key: &str, line: &str) -> Result<(), AppendError> {
    let failed = |operation: &'static str| {
        move |source| AppendError::Io { operation, path: path.to_owned(), source }
    };
    let (mut file, is_new) = open(path)?;
    let metadata = file.metadata().map_err(failed("look at"))?;
    if !metadata.is_file() {
        return Err(AppendError::NotAFile { path: path.to_owned() });
    }
    lock(&file, path)?;
    match look_back(&mut file, key, line).map_err(failed("read"))? {
        // It may be there and not on the disk: whoever wrote it was killed, or was told that the disk is unwell.
        End::HasKey => {}
        End::Whole => write(&mut file, line).map_err(failed("write to"))?,
        // The beginning of this very line: nobody else's words are lost with it.
        End::TornFrom(start) => {
            file.set_len(start).map_err(failed("cut the torn line off"))?;
            write(&mut file, line).map_err(failed("write to"))?;
        }
        // Somebody else's last line has no end. It stays, as a line of its own.
        End::Unended => write(&mut file, &format!("\n{line}")).map_err(failed("write to"))?,
    }
    file.sync_all().map_err(failed("sync"))?;
    if is_new {
        sync_directory(path).map_err(failed("sync the directory of"))?;
    }
    Ok(())
}

/// Opens the file, and says whether its name may be younger than its directory on the disk.
fn open(path: &Utf8Path) -> Result<(File, bool), AppendError> {
    let failed = |source| AppendError::Io { operation: "open", path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    // Without waiting: a pipe that nobody reads from would hold the thread for good.
    options.read(true).append(true).mode(MODE).custom_flags(OFlag::O_NONBLOCK.bits());
    match options.open(path) {
        // One that is empty may have been made by a process that was killed before it synced the directory.
        Ok(file) => {
            let is_empty = file.metadata().map_err(failed)?.len() == 0;
            Ok((file, is_empty))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((options.create(true).open(path).map_err(failed)?, true))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Held until the file is closed.
fn lock(file: &File, path: &Utf8Path) -> Result<(), AppendError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => AppendError::Locked { path: path.to_owned() },
        TryLockError::Error(source) => {
            AppendError::Io { operation: "lock", path: path.to_owned(), source }
        }
    })
}

/// Writes a line with its end. What a full disk let through of it is taken back.
fn write(file: &mut File, line: &str) -> io::Result<()> {
    let start = file.seek(SeekFrom::End(0))?;
    file.write_all(format!("{line}\n").as_bytes()).inspect_err(|_| {
        // Where even that fails, the next try finds the torn line.
        file.set_len(start).ok();
    })
}

fn sync_directory(path: &Utf8Path) -> io::Result<()> {
    let directory = path.parent().filter(|it| !it.as_str().is_empty());
    File::open(directory.unwrap_or(Utf8Path::new(".")))?.sync_all()
}
