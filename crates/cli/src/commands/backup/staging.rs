//! Where a backup is put together: a directory beside the file that it is to become.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::Entropy as _;

use super::cannot;
use crate::{error::CliError, system::SystemEntropy};

/// Between the name of the file and a number that nobody else draws.
const MIDDLE: &str = ".backup-";
/// Digits of that number.
const DIGITS: usize = 32;
/// Held as long as somebody works in the directory.
const LOCK: &str = "lock";
/// What stands in the lock: a directory without it is not ours, whatever its name.
const MARK: &str = "gatewright backup\n";

/// The directory, made for this backup alone. It is gone with everything in it as soon as it is dropped; one that a
/// killed process has left is removed by the next backup to the same file. Nothing that is not ours is touched.
pub(super) struct Staging {
    dir: Utf8PathBuf,
    _lock: File,
}

impl Staging {
    /// Makes the directory for `file`.
    pub(super) fn begin(file: &Utf8Path) -> Result<Self, CliError> {
        clear(file)?;
        let number = u128::from_le_bytes(SystemEntropy.bytes());
        let dir = Utf8PathBuf::from(format!("{file}{MIDDLE}{number:0DIGITS$x}"));
        let failed = cannot("make", &dir);
        DirBuilder::new().mode(0o700).create(&dir).map_err(&failed)?;
        let lock = lock(&dir);
        let lock = lock.inspect_err(|_| drop(fs::remove_dir_all(&dir))).map_err(&failed)?;
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
            File::open(directory(file))?.sync_all()
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

/// Makes the lock of a directory that was just made, and takes it before it says that the directory is ours.
fn lock(dir: &Utf8Path) -> io::Result<File> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(LOCK))?;
    file.try_lock().map_err(io::Error::from)?;
    file.write_all(MARK.as_bytes())?;
    Ok(file)
}

/// Removes what killed backups to this file have left. Refuses where one is under way.
fn clear(file: &Utf8Path) -> Result<(), CliError> {
    for dir in find_ours(file).map_err(cannot("read", directory(file)))? {
        let Ok(lock) = File::open(dir.join(LOCK)) else { continue };
        match lock.try_lock_shared() {
            // What cannot be removed is in nobody's way.
            Ok(()) => drop(fs::remove_dir_all(&dir)),
            Err(TryLockError::WouldBlock) => {
                return Err(CliError::new(format!("another backup is being written to {file}"))
                    .help("wait for it, or name another file"));
            }
            Err(TryLockError::Error(error)) => return Err(cannot("look at", &dir)(error)),
        }
    }
    Ok(())
}

/// The directories that backups to this file have made.
fn find_ours(file: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let start = format!("{}{MIDDLE}", file.file_name().unwrap_or_default());
    let mut found = Vec::new();
    for entry in fs::read_dir(directory(file))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let number = name.strip_prefix(&start).unwrap_or_default();
        let is_number =
            number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = directory(file).join(name);
        // Never through a link.
        if is_number && entry.file_type()?.is_dir() && is_marked(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_marked(dir: &Utf8Path) -> bool {
    let lock = dir.join(LOCK);
    let is_file = lock.symlink_metadata().is_ok_and(|found| found.is_file());
    is_file && fs::read(lock).is_ok_and(|words| words == MARK.as_bytes())
}

/// The directory that a file is in.
fn directory(file: &Utf8Path) -> &Utf8Path {
    file.parent().filter(|dir| !dir.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Utf8Path) -> Vec<String> {
        let entries = dir.read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_backup_left_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(directory.path()).unwrap();
        let file = dir.join("it.tar");
        let killed = Staging::begin(&file).unwrap();
        fs::write(killed.path("archive"), "half of it").unwrap();
        let left = killed.dir.clone();
        // A killed process drops its lock and nothing else.
        let Staging { _lock: lock, .. } = &killed;
        lock.unlock().unwrap();
        std::mem::forget(killed);
        let foreign = [
            "it.tar.partial".to_owned(),
            format!("it.tar{MIDDLE}{:032x}", 7),
            format!("it.tar{MIDDLE}mine"),
            format!("other.tar{MIDDLE}{:032x}", 7),
        ];
        for name in &foreign {
            fs::create_dir(dir.join(name)).unwrap();
            fs::write(dir.join(name).join("precious"), "mine").unwrap();
        }
        std::os::unix::fs::symlink(dir.join(&foreign[0]), dir.join("link")).unwrap();
        let mut before = names(dir);
        drop(Staging::begin(&file).unwrap());
        before.retain(|name| !left.ends_with(name));
        assert_eq!(names(dir), before);
        for name in &foreign {
            assert_eq!(names(&dir.join(name)), ["precious"]);
        }
    }

    #[test]
    fn a_backup_that_is_under_way_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(directory.path()).unwrap();
        let first = Staging::begin(&dir.join("it.tar")).unwrap();
        let refused = Staging::begin(&dir.join("it.tar")).err().expect("one at a time");
        assert!(refused.message.contains("another backup is being written"), "{refused}");
        assert!(first.path(LOCK).exists());
        drop(Staging::begin(&dir.join("other.tar")).unwrap());
        drop(first);
        assert!(names(dir).is_empty());
    }
}
