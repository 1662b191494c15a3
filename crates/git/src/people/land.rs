//! Moving the target of the people's repository.

use camino::Utf8Path;
use domain::revision::{BranchName, CommitSha};
use ports::{GitError, Landing, ProjectRef};

use super::{Repository, local::LocalRepository, remote, worktrees::list_worktrees};
use crate::{MirrorGit, mirror::moved};

/// A target and where it is to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move<'a> {
    /// The branch.
    pub(super) target: &'a BranchName,
    /// Where it should be.
    pub(super) expected: &'a CommitSha,
    /// Where it is to go.
    pub(super) candidate: &'a CommitSha,
}

/// Moves the target from `expected` to `candidate`. Doing it again is fine.
pub(crate) async fn land(
    git: &MirrorGit,
    project: &ProjectRef,
    target: &BranchName,
    expected: &CommitSha,
    candidate: &CommitSha,
) -> Result<Landing, GitError> {
    let wanted = Move { target, expected, candidate };
    match Repository::parse(&project.repository) {
        Repository::Local(path) => land_locally(git, project, &path, wanted).await,
        Repository::Remote(url) => remote::land(git, project, &url, wanted).await,
    }
}

async fn land_locally(
    git: &MirrorGit,
    project: &ProjectRef,
    path: &Utf8Path,
    wanted: Move<'_>,
) -> Result<Landing, GitError> {
    let Move { target, expected, candidate } = wanted;
    let repository = LocalRepository::new(git, path);
    if let Some(done) = look(&repository, wanted).await? {
        return Ok(done);
    }
    repository.receive(&git.mirror(project), candidate).await?;
    let worktrees = list_worktrees(&repository, target).await?;
    let complaint = match worktrees.as_slice() {
        [] => match repository.move_branch(target, Some(expected), candidate).await? {
            Ok(()) => return Ok(Landing::Landed),
            Err(complaint) => complaint,
        },
        [worktree] => match repository.fast_forward(worktree, candidate).await? {
            Ok(()) => String::new(),
            Err(complaint) => explain(&complaint, target, worktree),
        },
        [first, second, ..] => {
            format!(
                "`{target}` is checked out in {first} and in {second}: leave one of them, then retry"
            )
        }
    };
    // Whatever git said, what counts is where the branch is now.
    Ok(look(&repository, wanted).await?.unwrap_or(Landing::Refused { reason: complaint }))
}

/// What there is to say without moving anything. `None`: the target is where it was expected.
async fn look(
    repository: &LocalRepository<'_>,
    wanted: Move<'_>,
) -> Result<Option<Landing>, GitError> {
    let Move { target, expected, candidate } = wanted;
    let Some(found) = repository.find_branch(target).await? else {
        return Err(moved(target.full_ref(), Some(expected), None));
    };
    if found == *candidate || repository.contains(&found, candidate).await? {
        Ok(Some(Landing::Landed))
    } else if found == *expected {
        Ok(None)
    } else {
        Ok(Some(Landing::TargetMoved { found }))
    }
}

/// Files that are named where many are in the way.
const FILES_SHOWN: usize = 5;

/// Says what a person can do about a work tree that git would not touch.
fn explain(complaint: &str, target: &BranchName, worktree: &Utf8Path) -> String {
    // Git indents the names of files.
    let files: Vec<&str> = complaint.lines().filter_map(|line| line.strip_prefix('\t')).collect();
    if files.is_empty() {
        let words = complaint.trim();
        return format!("git refuses to update `{target}` in the work tree {worktree}: {words}");
    }
    let more = match files.len().saturating_sub(FILES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let files = files[..files.len().min(FILES_SHOWN)].join(", ");
    format!(
        "`{target}` is checked out in {worktree}, and local changes are in the way of the merge: {files}{more}; \
         commit or stash them, then retry"
    )
}
