//! A clone that borrows the mirror's objects, with its files checked out.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::CommitSha;
use ports::{GitError, ProjectRef};

use super::remove::remove_tree;
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Caller,
    commit::Author,
    layout::{Head, NewRepository, ObjectFormat},
};

/// Settings of a checkout. Writing thousands of files is waiting for the file system: on two cores, four writers
/// are three to five times as fast as one. Small trees are not worth the processes. The files can be made again,
/// so nothing needs to reach the disk.
const SETTINGS: [&str; 6] = [
    "-c",
    "checkout.workers=4",
    "-c",
    "checkout.thresholdForParallelism=1000",
    "-c",
    "core.fsync=none",
];

/// Where a directory is built before it appears under its name: whatever ends us, a half-made one is never taken
/// for a whole one.
pub(super) fn unfinished_path(dir: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match (dir.parent(), dir.file_name()) {
        (Some(parent), Some(name)) => Ok(parent.join(format!(".{name}.unfinished"))),
        _ => Err(io::ErrorKind::InvalidFilename.into()),
    }
}

/// Makes room for a directory that is to be built.
pub(super) fn begin(dir: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let unfinished = unfinished_path(dir)?;
    fs::create_dir_all(unfinished.parent().unwrap_or(dir))?;
    remove_tree(&unfinished)?;
    Ok(unfinished)
}

/// Makes the clone in the new directory `dir`. The only git process that we ever run in there, before anybody
/// else could write into it.
pub(super) async fn create(
    git: &MirrorGit,
    project: &ProjectRef,
    dir: &Utf8Path,
    head: Head,
) -> Result<(), GitError> {
    let format = match &head {
        Head::Unborn => ObjectFormat::Sha1,
        Head::Branch(_, commit) | Head::Detached(commit) => ObjectFormat::of(commit.as_str()),
    };
    let repository = NewRepository {
        git_dir: dir.join(".git"),
        format,
        head,
        borrowed: Some(git.mirror(project).objects_dir()),
        author: Some(Author::clone(&git.author)),
    };
    let failed = io_error("make a clone", dir);
    blocking(move || repository.create()).await.map_err(failed)?;
    let call =
        git.runner.git(Caller::Own, format!("check files out into {dir}")).dir(dir).args(SETTINGS);
    let call =
        call.arg(format!("--git-dir={}", dir.join(".git"))).arg(format!("--work-tree={dir}"));
    call.args(["read-tree", "-m", "-u", "HEAD"]).run().await.map(drop)
}

/// Makes a checkout of a commit in the new directory `dir`, on no branch.
pub(crate) async fn checkout(
    git: &MirrorGit,
    project: &ProjectRef,
    commit: &CommitSha,
    dir: &Utf8Path,
) -> Result<(), GitError> {
    let _only_one = git.locks.lock(dir.as_str()).await;
    let failed = || io_error("make a checkout", dir);
    if fs::symlink_metadata(dir).is_ok() {
        return Err(failed()(io::ErrorKind::AlreadyExists.into()));
    }
    let wanted = dir.to_owned();
    let built = blocking(move || begin(&wanted)).await.map_err(failed())?;
    create(git, project, &built, Head::Detached(commit.clone())).await?;
    fs::rename(&built, dir).map_err(failed())
}
