//! The repository that a command is about.

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::BranchName;
use git::MirrorGit;
use ports::GitError;

use crate::{context::Context, error::CliError};

/// The repository that a command is about, as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Its root.
    pub(crate) root: Utf8PathBuf,
    /// The branch that is checked out; `None` where HEAD is detached.
    pub(crate) branch: Option<BranchName>,
    /// The commit that is checked out.
    pub(crate) head: domain::revision::CommitSha,
    /// Paths with changes that no commit holds.
    pub(crate) uncommitted: usize,
}

/// Finds the repository at `dir`, or the one around the working directory. An empty one is refused.
pub(crate) async fn find(
    context: &Context,
    git: &MirrorGit,
    dir: Option<&Utf8Path>,
) -> Result<Repository, CliError> {
    let dir = context.absolute(dir.unwrap_or_else(|| Utf8Path::new(".")));
    let dir = dir
        .canonicalize_utf8()
        .map_err(|error| CliError::usage(format!("{dir} cannot be used: {error}")))?;
    let inspection = git.inspect(&dir).await?;
    let path = inspection.root.to_string();
    if inspection.shallow {
        return Err(CliError::usage(format!(
            "the repository {path} is a shallow clone: its history is cut off"
        ))
        .help("get the rest of it: git fetch --unshallow"));
    }
    let head = inspection.head.ok_or(GitError::Empty { path })?;
    Ok(Repository {
        root: inspection.root,
        branch: inspection.branch,
        head,
        uncommitted: inspection.uncommitted,
    })
}
