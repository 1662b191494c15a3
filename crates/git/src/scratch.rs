//! Directories of our own that are gone at the end of a call, and soon after a kill.

use std::{
    fs::{self, File},
    io,
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// A new directory; removed when it is dropped. It is locked as long as its process lives, so that what a killed one has
/// left can be told from what is at work.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: Utf8PathBuf,
    _dir: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one in `parent`, and removes what was left behind there.
    pub(crate) fn create(parent: &Utf8Path, prefix: &str) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        // One at a time: a directory that was just made is not locked yet, and must not be taken for one left behind.
        let turn = File::open(parent)?;
        turn.lock()?;
        remove_abandoned(parent)?;
        let dir = TempDir::with_prefix_in(prefix, parent)?;
        let lock = File::open(dir.path())?;
        lock.lock()?;
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned())
            .map_err(|_| io::ErrorKind::InvalidFilename)?;
        Ok(Self { path, _dir: dir, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Removes the directories that nobody has any more.
fn remove_abandoned(parent: &Utf8Path) -> io::Result<()> {
    for entry in parent.read_dir_utf8()? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        // It may be gone by now, with the call that had it.
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            // What cannot be removed now is removed by the next call.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_behind_is_removed_by_the_next_call_and_what_is_at_work_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let parent = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let at_work = Scratch::create(parent, "hand-in-").expect("created");
        let killed = Scratch::create(parent, "hand-in-").expect("created");
        fs::create_dir_all(killed.path().join("git/objects")).expect("a directory");
        // A kill takes the locks of a process and nothing else.
        let Scratch { path: left, _dir: kept, _lock: lock } = killed;
        drop(lock);
        std::mem::forget(kept);
        assert!(left.exists());
        let next = Scratch::create(parent, "commit-").expect("created");
        assert!(!left.exists(), "it was left behind");
        assert!(at_work.path().is_dir() && next.path().is_dir());
        drop((at_work, next));
        assert_eq!(parent.read_dir_utf8().expect("readable").count(), 0);
    }
}
