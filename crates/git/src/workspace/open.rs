//! Opening an agent's workspace.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
};

use camino::Utf8Path;
use ports::{GitError, Workspace, WorkspaceSpec};

use super::{
    clone::{begin, create},
    place::check_place,
};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    layout::Head,
};

/// What is being done, for errors.
const OPERATION: &str = "open the workspace";

/// What its owner needs of a directory, as a mode.
const OWNERS: u32 = 0o700;

/// Opens a workspace. One that is there is kept to the byte: it may hold work of a run that died.
pub(crate) async fn open(git: &MirrorGit, spec: &WorkspaceSpec) -> Result<Workspace, GitError> {
    let WorkspaceSpec { project, dir, branch, head } = spec;
    check_place(OPERATION, &git.workspaces_dir(), dir)?;
    let _only_one = git.locks.lock(dir.as_str()).await;
    let reused = is_there(dir)?;
    if !reused {
        let wanted = dir.clone();
        let built = blocking(move || begin(&wanted)).await.map_err(io_error(OPERATION, dir))?;
        for part in ["outbox", "home", "repository"] {
            fs::create_dir_all(built.join(part)).map_err(io_error(OPERATION, dir))?;
        }
        create(git, project, &built.join("repository"), Head::Branch(branch.clone(), head.clone()))
            .await?;
        fs::rename(&built, dir).map_err(io_error(OPERATION, dir))?;
    }
    Ok(Workspace {
        repository: dir.join("repository"),
        outbox: dir.join("outbox"),
        home: dir.join("home"),
        borrowed_objects: git.mirror(project).objects_dir(),
        reused,
    })
}

/// Whether the workspace is there. Anything but plain directories in its place was put there by somebody else,
/// and is not followed.
fn is_there(dir: &Utf8Path) -> Result<bool, GitError> {
    match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error(OPERATION, dir)(error)),
        Ok(_) => {}
    }
    for path in [dir.to_owned(), dir.join("repository"), dir.join("outbox"), dir.join("home")] {
        let found = fs::symlink_metadata(&path).map_err(io_error(OPERATION, &path))?;
        if !found.is_dir() {
            return Err(io_error(OPERATION, &path)(io::ErrorKind::NotADirectory.into()));
        }
        // An agent may have locked everybody out, itself too. What it did further inside is git's to meet.
        let mode = found.permissions().mode();
        if mode & OWNERS != OWNERS {
            fs::set_permissions(&path, Permissions::from_mode(mode | OWNERS))
                .map_err(io_error(OPERATION, &path))?;
        }
    }
    Ok(true)
}
