//! Putting a finished branch into the people's repository.

use camino::Utf8Path;
use domain::revision::{BranchName, CommitSha};
use ports::{GitError, ProjectRef, Publication};

use super::{Repository, local::LocalRepository, remote, worktrees::list_worktrees};
use crate::{MirrorGit, mirror::moved};

/// Creates the branch, or moves it forward where nobody has it checked out. One that has gone on from the commit has it.
pub(crate) async fn publish(
    git: &MirrorGit,
    project: &ProjectRef,
    branch: &BranchName,
    head: &CommitSha,
) -> Result<Publication, GitError> {
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
) -> Result<Publication, GitError> {
    let repository = LocalRepository::new(git, path);
    let found = repository.find_branch(branch).await?;
    if found.as_ref() == Some(head) {
        return Ok(Publication::Published);
    }
    repository.receive(&git.mirror(project), head).await?;
    if let Some(found) = &found {
        if repository.contains(found, head).await? {
            return Ok(Publication::Published);
        }
        if !repository.contains(head, found).await? {
            let mend = format!("rename or delete that branch (`git branch -m {branch} NEW-NAME`)");
            return Ok(taken(branch, head, found, &mend));
        }
        if let Some(worktree) = list_worktrees(&repository, branch).await?.first() {
            return Ok(in_use(branch, head, found, worktree));
        }
    }
    let Err(stderr) = repository.move_branch(branch, found.as_ref(), head).await? else {
        return Ok(Publication::Published);
    };
    let now = repository.find_branch(branch).await?;
    if now.as_ref() == Some(head) {
        Ok(Publication::Published)
    } else if now == found {
        Err(GitError::Command { operation: format!("publish `{branch}`"), stderr })
    } else {
        Err(moved(branch.full_ref(), found.as_ref(), now.as_ref()))
    }
}

/// Other work has this name: somebody else's, or what was delivered before a backup was brought back.
pub(super) fn taken(
    branch: &BranchName,
    head: &CommitSha,
    found: &CommitSha,
    mend: &str,
) -> Publication {
    let (head, found) = (head.short(), found.short());
    Publication::Refused {
        reason: format!(
            "the repository has another branch `{branch}`: it is at {found}, which is not part of the finished work, {head}; \
             {mend}, then retry"
        ),
    }
}

/// Somebody works on the branch, and would find another commit under their files.
fn in_use(
    branch: &BranchName,
    head: &CommitSha,
    found: &CommitSha,
    worktree: &Utf8Path,
) -> Publication {
    let (head, found) = (head.short(), found.short());
    Publication::Refused {
        reason: format!(
            "`{branch}` is checked out in {worktree} at {found}, and cannot be moved to the finished work, {head}; \
             switch to another branch there, then retry"
        ),
    }
}
