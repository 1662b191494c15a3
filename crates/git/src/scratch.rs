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
        let (scratch, abandoned) = Self::make(parent, prefix)?;
        // Not in turn with the others: it may be much, and each of them has to do with the place where it is at work.
        abandoned.remove();
        Ok(scratch)
    }

    fn make(parent: &Utf8Path, prefix: &str) -> io::Result<(Self, Abandoned)> {
        fs::create_dir_all(parent)?;
        // One at a time: a directory that was just made is not locked yet, and must not be taken for one left behind.
        let turn = File::open(parent)?;
        turn.lock()?;
        let abandoned = Abandoned::find(parent)?;
        let dir = TempDir::with_prefix_in(prefix, parent)?;
        let lock = File::open(dir.path())?;
        lock.lock()?;
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned())
            .map_err(|_| io::ErrorKind::InvalidFilename)?;
        Ok((Self { path, _dir: dir, _lock: lock }, abandoned))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Directories that nobody has any more. Their locks are ours, so that nobody else removes them meanwhile.
struct Abandoned(Vec<(Utf8PathBuf, File)>);

impl Abandoned {
    fn find(parent: &Utf8Path) -> io::Result<Self> {
        let mut found = Vec::new();
        for entry in parent.read_dir_utf8()? {
            let entry = entry?;
            // It may be gone by now, with the call that had it.
            let Ok(kind) = entry.file_type() else { continue };
            if !kind.is_dir() {
                continue;
            }
            let Ok(lock) = File::open(entry.path()) else { continue };
            if lock.try_lock().is_ok() {
                found.push((entry.path().to_owned(), lock));
            }
        }
        Ok(Self(found))
    }

    /// What cannot be removed now is removed by the next call.
    fn remove(self) {
        for (path, _lock) in self.0 {
            fs::remove_dir_all(path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kill takes the locks of a process and nothing else.
    fn kill(scratch: Scratch) -> Utf8PathBuf {
        let Scratch { path, _dir: kept, _lock: lock } = scratch;
        drop(lock);
        std::mem::forget(kept);
        path
    }

    #[test]
    fn nobody_waits_for_what_another_call_removes_and_nobody_removes_it_twice() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let parent = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let left = kill(Scratch::create(parent, "hand-in-").expect("created"));
        let (_first, abandoned) = Scratch::make(parent, "hand-in-").expect("made");
        assert!(File::open(parent).expect("a directory").try_lock().is_ok(), "it is in our way");
        let (_second, others) = Scratch::make(parent, "hand-in-").expect("made");
        assert_eq!((abandoned.0.len(), others.0.len()), (1, 0));
        abandoned.remove();
        assert!(!left.exists());
    }

    #[test]
    fn what_a_killed_process_left_behind_is_removed_by_the_next_call_and_what_is_at_work_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let parent = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let at_work = Scratch::create(parent, "hand-in-").expect("created");
        let killed = Scratch::create(parent, "hand-in-").expect("created");
        fs::create_dir_all(killed.path().join("git/objects")).expect("a directory");
        let left = kill(killed);
        assert!(left.exists());
        let next = Scratch::create(parent, "commit-").expect("created");
        assert!(!left.exists(), "it was left behind");
        assert!(at_work.path().is_dir() && next.path().is_dir());
        drop((at_work, next));
        assert_eq!(parent.read_dir_utf8().expect("readable").count(), 0);
    }
}
