//! Removing what an end has left behind, a few times and not for ever.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::{GitError, is_full_disk};

use super::{place::check_place, remove};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
};

/// What is being done, for errors.
const OPERATION: &str = "remove a workspace that was left behind";

/// How the name of a tally ends, behind that of what it counts for.
const TALLY: &str = ".swept";

/// The names of the directories in `dir`, in order. What is hidden is being made, or is a tally; a tally of a directory
/// that is gone is removed: whoever removed it was killed before its end.
pub(crate) async fn list(dir: &Utf8Path) -> Result<Vec<String>, GitError> {
    let place = dir.to_owned();
    let list = move || -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            // A name that is no text is none of ours.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if let Some(swept) = name.strip_prefix('.').and_then(|it| it.strip_suffix(TALLY)) {
                if !place.join(swept).exists() {
                    // Where it cannot be removed, it counts for nothing all the same.
                    forget(&place.join(&name)).ok();
                }
            } else if !name.starts_with('.') && entry.file_type()?.is_dir() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    };
    blocking(list).await.map_err(io_error("list the workspaces", dir))
}

/// Removes a directory of workspaces, unless that was begun `tries_max` times and never came to its end. A try that is
/// dropped is none: whoever drops it is still there.
pub(crate) async fn sweep(
    git: &MirrorGit,
    dir: &Utf8Path,
    tries_max: u32,
) -> Result<bool, GitError> {
    check_place(OPERATION, &git.data_dir, dir)?;
    let tally = tally_path(dir).map_err(io_error(OPERATION, dir))?;
    let begun = blocking(move || Try::begin(tally, tries_max)).await;
    let Some(begun) = begun.map_err(io_error(OPERATION, dir))? else { return Ok(false) };
    let removed = remove(git, dir).await;
    // Whatever came of it, the process is still there.
    let tidied = blocking(move || begun.end()).await.map_err(io_error(OPERATION, dir));
    removed.and(tidied).map(|()| true)
}

/// Where the tries are counted: a file beside the directory, as long as there were tries.
fn tally_path(dir: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match (dir.parent(), dir.file_name()) {
        (Some(parent), Some(name)) => Ok(parent.join(format!(".{name}{TALLY}"))),
        _ => Err(io::ErrorKind::InvalidFilename.into()),
    }
}

/// A try, which is counted as long as it lasts.
struct Try {
    tally: Utf8PathBuf,
    is_counted: bool,
}

impl Try {
    /// Counts a try where there may be one more. A disk without room keeps nothing from being removed: that makes some.
    fn begin(tally: Utf8PathBuf, tries_max: u32) -> io::Result<Option<Self>> {
        match count(&tally, tries_max) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(Self { tally, is_counted: true })),
            Err(error) if is_full_disk(&error) => Ok(Some(Self { tally, is_counted: false })),
            Err(error) => Err(error),
        }
    }

    /// It came to its end: none of those before counts any more.
    fn end(mut self) -> io::Result<()> {
        self.is_counted = false;
        forget(&self.tally)
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        if self.is_counted
            && let Err(error) = take_back(&self.tally)
        {
            tracing::warn!("could not take back what was counted in {}: {error}", self.tally);
        }
    }
}

/// Counts one more, unless there are as many already.
fn count(tally: &Utf8Path, tries_max: u32) -> io::Result<bool> {
    let mut file = OpenOptions::new().append(true).create(true).open(tally)?;
    if file.metadata()?.len() >= tries_max.into() {
        return Ok(false);
    }
    file.write_all(b"x")?;
    file.sync_all()?;
    // A new one is there once its directory says so.
    File::open(tally.parent().unwrap_or(tally))?.sync_all()?;
    Ok(true)
}

/// Counts one less.
fn take_back(tally: &Utf8Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(tally)?;
    match file.metadata()?.len() {
        0 | 1 => forget(tally),
        tries => file.set_len(tries - 1),
    }
}

/// Removes the count of tries, of which there may be none where it could not be written.
fn forget(tally: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(tally) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a process that ends over a try leaves it counted.
    #[test]
    fn a_try_that_is_dropped_is_not_counted() {
        let dir = tempfile::tempdir().expect("a directory");
        let tally = Utf8Path::from_path(dir.path()).expect("UTF-8").join(".p1.swept");
        let begin = || Try::begin(tally.clone(), 2).expect("counted");
        let tries = || fs::read(&tally).map_or(0, |tries| tries.len());
        drop(begin());
        assert_eq!((tries(), tally.exists()), (0, false), "none is no file");
        std::mem::forget(begin());
        drop(begin());
        assert_eq!(tries(), 1, "that of a process that ended");
        std::mem::forget(begin());
        assert!(begin().is_none(), "two are enough");
        assert_eq!(tries(), 2);
    }
}
