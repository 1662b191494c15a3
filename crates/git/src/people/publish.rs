//! Putting a finished branch into the people's repository.

use camino::Utf8Path;
use domain::revision::{BranchName, CommitSha};
use ports::{GitError, ProjectRef};

use super::{Repository, local::LocalRepository, remote, worktrees::list_worktrees};
use crate::{MirrorGit, mirror::moved};

/// Creates the branch, or moves it forward where nobody has it checked out.
pub(crate) async fn publish(
    git: &MirrorGit,
    project: &ProjectRef,
    branch: &BranchName,
    head: &CommitSha,
) -> Result<(), GitError> {
    match Repository::parse(&project.repository) {
        Repository::Local(path) => publish_locally(git, project, &path, branch, head).await,
        Repository::Remote(url) => remote::publish(git, project, &url, branch, head).await,
    }
}

async fn publish_locally(
    git: &MirrorGit,
    project: &ProjectRef,
    path: &Utf8Path,
    branch: &BranchName,
    head: &CommitSha,
) -> Result<(), GitError> {
    let repository = LocalRepository::new(git, path);
    let found = repository.find_branch(branch).await?;
    if found.as_ref() == Some(head) {
        return Ok(());
    }
    repository.receive(&git.mirror(project), head).await?;
    if let Some(found) = &found {
        let is_free = list_worktrees(&repository, branch).await?.is_empty();
        if !is_free || !repository.contains(head, found).await? {
            return Err(taken(branch, head, found));
        }
    }
    let Err(stderr) = repository.move_branch(branch, found.as_ref(), head).await? else {
        return Ok(());
    };
    let now = repository.find_branch(branch).await?;
    if now.as_ref() == Some(head) {
        Ok(())
    } else if now == found {
        Err(GitError::Command { operation: format!("publish `{branch}`"), stderr })
    } else {
        Err(moved(branch.full_ref(), found.as_ref(), now.as_ref()))
    }
}

/// Somebody else's branch has this name, or somebody works on it.
pub(super) fn taken(branch: &BranchName, head: &CommitSha, found: &CommitSha) -> GitError {
    GitError::Moved {
        reference: branch.full_ref(),
        expected: format!("an ancestor of {head} that is not checked out"),
        found: found.to_string(),
    }
}
