//! Removing a directory that an agent could write into.
//!
//! Links are removed, never followed. A directory that is too deep for the stack or for the table of open files,
//! or that forbids to be read, is what a hostile agent would leave behind: every directory found is moved up to the
//! top and emptied there, so that nothing is ever more than one level deep and two directories are open at a time.

use std::{
    collections::VecDeque,
    ffi::{CStr, CString},
    fs, io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
};

use camino::Utf8Path;
use nix::{
    dir::{Dir, Type},
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, renameat},
    sys::stat::{FchmodatFlags, Mode, fchmodat, fstatat},
    unistd::{UnlinkatFlags, unlinkat},
};
use ports::GitError;

use super::{clone::unfinished_path, place::check_place};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
};

/// What is being done, for errors.
const OPERATION: &str = "remove the workspace";

/// Removes a directory below the data directory. Absent is fine.
pub(crate) async fn remove(git: &MirrorGit, dir: &Utf8Path) -> Result<(), GitError> {
    check_place(OPERATION, &git.data_dir, dir)?;
    // Directly below the data directory is what everything stands on: the mirrors, the store.
    if dir.parent() == Some(&git.data_dir) || dir.starts_with(git.mirrors_dir()) {
        let why = "it is not a workspace".to_owned();
        return Err(io_error(OPERATION, dir)(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    let _only_one = git.locks.lock(dir.as_str()).await;
    let doomed = dir.to_owned();
    let remove = move || {
        remove_tree(&unfinished_path(&doomed)?)?;
        remove_tree(&doomed)
    };
    blocking(remove).await.map_err(io_error(OPERATION, dir))
}

/// Removes whatever stands at `path`, without following a link in its last part or below it.
pub(super) fn remove_tree(path: &Utf8Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.is_dir() => return fs::remove_file(path),
        Ok(_) => {}
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let parent =
        Dir::open(parent.as_std_path(), OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let name = CString::new(name)?;
    let top = open_dir(&parent, &name)?;
    let mut tree = Tree { top: top.as_fd(), waiting: VecDeque::new(), moved: 0 };
    tree.empty(top.as_fd())?;
    while let Some(name) = tree.waiting.pop_front() {
        let dir = open_dir(tree.top, &name)?;
        tree.empty(dir.as_fd())?;
        drop(dir);
        unlinkat(tree.top, name.as_c_str(), UnlinkatFlags::RemoveDir)?;
    }
    Ok(unlinkat(&parent, name.as_c_str(), UnlinkatFlags::RemoveDir)?)
}

/// What is left to be emptied.
struct Tree<'a> {
    top: std::os::fd::BorrowedFd<'a>,
    /// Directories in `top`.
    waiting: VecDeque<CString>,
    /// How many were moved there; part of their names.
    moved: u64,
}

impl Tree<'_> {
    /// Removes every file of `dir` and moves every directory of it up.
    fn empty(&mut self, dir: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
        // A second descriptor: listing must not end with the directory closed.
        let listing = openat(
            dir,
            c".",
            OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        let is_top = dir.as_raw_fd() == self.top.as_raw_fd();
        let entries: Vec<(CString, Option<Type>)> = Dir::from_fd(listing)?
            .iter()
            .map(|entry| entry.map(|it| (it.file_name().to_owned(), it.file_type())))
            .collect::<Result<_, _>>()?;
        for (name, kind) in entries {
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if !is_directory(dir, &name, kind)? {
                unlinkat(dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir)?;
            } else if is_top {
                self.waiting.push_back(name);
            } else {
                self.move_up(dir, &name)?;
            }
        }
        Ok(())
    }

    fn move_up(&mut self, dir: std::os::fd::BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        // To be moved elsewhere, a directory must be writable itself.
        drop(open_dir(dir, name)?);
        loop {
            self.moved += 1;
            let new_name = CString::new(format!(".gatewright-{}", self.moved))?;
            match fstatat(self.top, new_name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                // A rename onto an empty directory would replace one that waits.
                Ok(_) => {}
                Err(Errno::ENOENT) => {
                    renameat(dir, name, self.top, new_name.as_c_str())?;
                    self.waiting.push_back(new_name);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_directory(dir: impl AsFd, name: &CStr, kind: Option<Type>) -> io::Result<bool> {
    if let Some(kind) = kind {
        return Ok(kind == Type::Directory);
    }
    // Some file systems do not say it in the listing.
    let found = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok(found.st_mode & nix::libc::S_IFMT == nix::libc::S_IFDIR)
}

/// Opens a directory, not a link to one, and makes it ours to read and write first where it is not.
fn open_dir(parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let handle = openat(
        parent,
        name,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mode = Mode::from_bits_truncate(fstatat(&handle, c"", AtFlags::AT_EMPTY_PATH)?.st_mode);
    if !mode.contains(Mode::S_IRWXU) {
        // The handle's own name: whatever stands at `name` by now, this is the directory that was opened.
        let own_name = format!("/proc/self/fd/{}", handle.as_raw_fd());
        fchmodat(
            nix::fcntl::AT_FDCWD,
            Path::new(&own_name),
            mode | Mode::S_IRWXU,
            FchmodatFlags::FollowSymlink,
        )?;
    }
    Ok(openat(&handle, c".", flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn scratch() -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8").to_owned();
        (dir, path)
    }

    #[test]
    fn a_link_is_removed_and_what_it_points_to_stays() {
        let (_dir, path) = scratch();
        let (outside, doomed) = (path.join("outside"), path.join("doomed"));
        fs::create_dir_all(outside.join("kept")).expect("a directory");
        fs::create_dir_all(doomed.join("a/b")).expect("a directory");
        symlink(&outside, doomed.join("a/b/link")).expect("a link");
        remove_tree(&doomed).expect("removed");
        assert!(!doomed.exists() && outside.join("kept").exists());

        symlink(&outside, &doomed).expect("a link");
        remove_tree(&doomed).expect("removed");
        assert!(fs::symlink_metadata(&doomed).is_err() && outside.join("kept").exists());
    }

    #[test]
    fn directories_that_forbid_everything_are_removed() {
        let (_dir, path) = scratch();
        let doomed = path.join("doomed");
        fs::create_dir_all(doomed.join("a/b/c")).expect("a directory");
        fs::write(doomed.join("a/b/c/file"), "x").expect("a file");
        for locked in ["a/b/c", "a/b", "a"] {
            fs::set_permissions(doomed.join(locked), fs::Permissions::from_mode(0o0))
                .expect("a mode");
        }
        remove_tree(&doomed).expect("removed");
        assert!(!doomed.exists());
    }

    #[test]
    fn a_directory_deeper_than_any_path_may_be_long_is_removed() {
        let (_dir, path) = scratch();
        let doomed = path.join("doomed");
        fs::create_dir(&doomed).expect("a directory");
        let mut at =
            openat(nix::fcntl::AT_FDCWD, doomed.as_std_path(), OFlag::O_PATH, Mode::empty())
                .expect("open");
        for _ in 0..5000 {
            nix::sys::stat::mkdirat(&at, c"deeper", Mode::S_IRWXU).expect("a directory");
            at = openat(&at, c"deeper", OFlag::O_PATH, Mode::empty()).expect("open");
        }
        remove_tree(&doomed).expect("removed");
        assert!(!doomed.exists());
    }
}
