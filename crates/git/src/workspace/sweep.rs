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

/// Removes a directory of workspaces, unless that was begun `tries_max` times and never came to its end.
pub(crate) async fn sweep(
    git: &MirrorGit,
    dir: &Utf8Path,
    tries_max: u32,
) -> Result<bool, GitError> {
    check_place(OPERATION, &git.data_dir, dir)?;
    let tally = tally_path(dir).map_err(io_error(OPERATION, dir))?;
    let begun = {
        let tally = tally.clone();
        move || begin(&tally, tries_max)
    };
    if !blocking(begun).await.map_err(io_error(OPERATION, dir))? {
        return Ok(false);
    }
    let removed = remove(git, dir).await;
    // Whatever came of it, the process is still there.
    let tidied = blocking(move || forget(&tally)).await.map_err(io_error(OPERATION, dir));
    removed.and(tidied).map(|()| true)
}

/// Where the tries are counted: a file beside the directory, as long as there were tries.
fn tally_path(dir: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match (dir.parent(), dir.file_name()) {
        (Some(parent), Some(name)) => Ok(parent.join(format!(".{name}{TALLY}"))),
        _ => Err(io::ErrorKind::InvalidFilename.into()),
    }
}

/// Counts a try where there may be one more. Says whether there may. A disk without room keeps nothing from being removed:
/// that makes some.
fn begin(tally: &Utf8Path, tries_max: u32) -> io::Result<bool> {
    let count = || {
        let mut file = OpenOptions::new().append(true).create(true).open(tally)?;
        if file.metadata()?.len() >= tries_max.into() {
            return Ok(false);
        }
        file.write_all(b"x")?;
        file.sync_all()?;
        // A new one is there once its directory says so.
        File::open(tally.parent().unwrap_or(tally))?.sync_all()?;
        Ok(true)
    };
    match count() {
        Err(error) if is_full_disk(&error) => Ok(true),
        counted => counted,
    }
}

/// Removes the count of tries, of which there may be none where it could not be written.
fn forget(tally: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(tally) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
