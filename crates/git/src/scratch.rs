//! Directories of our own that are gone at the end of a call.

use std::{fs, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// After this time, a directory was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_hours(24);

/// A new directory; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: Utf8PathBuf,
    _dir: TempDir,
}

impl Scratch {
    /// Makes one in `parent`, and removes what was left behind there.
    pub(crate) fn create(parent: &Utf8Path, prefix: &str) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        remove_abandoned(parent)?;
        let dir = TempDir::with_prefix_in(prefix, parent)?;
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned())
            .map_err(|_| io::ErrorKind::InvalidFilename)?;
        Ok(Self { path, _dir: dir })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

fn remove_abandoned(parent: &Utf8Path) -> io::Result<()> {
    for entry in parent.read_dir_utf8()? {
        let entry = entry?;
        let modified = entry.metadata().and_then(|it| it.modified());
        let age = modified.ok().and_then(|it| it.elapsed().ok());
        if age.is_some_and(|age| age > ABANDONED) {
            // Somebody else may be removing it too.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::SystemTime};

    use super::*;

    #[test]
    fn what_a_killed_process_left_behind_is_removed_after_a_day() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let parent = Utf8Path::from_path(dir.path()).expect("UTF-8");
        for (name, hours) in [("old", 25), ("new", 23)] {
            fs::create_dir_all(parent.join(name)).expect("a directory");
            let time = SystemTime::now() - Duration::from_hours(hours);
            let handle = File::open(parent.join(name)).expect("open");
            handle.set_modified(time).expect("a time");
        }
        let scratch = Scratch::create(parent, "x-").expect("created");
        assert!(scratch.path().is_dir());
        assert!(!parent.join("old").exists() && parent.join("new").exists());
    }
}
