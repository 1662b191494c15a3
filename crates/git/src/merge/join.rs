//! Joining the branches of roles that worked side by side.

use domain::{name::RoleName, revision::CommitSha};
use jiff::Timestamp;
use ports::{GitError, Joined, ProjectRef};

use super::{
    conflict::describe,
    tree::{MergedTree, merge_trees},
};
use crate::{MirrorGit, commit::NewCommit};

/// Merges `heads` onto `base`, one after the other. A head that only goes on from where we are is taken as it is.
pub(crate) async fn join(
    git: &MirrorGit,
    project: &ProjectRef,
    base: &CommitSha,
    heads: &[(RoleName, CommitSha)],
    at: Timestamp,
) -> Result<Joined, GitError> {
    let mirror = git.mirror(project);
    let who = git.author.line(at);
    let mut joined = base.clone();
    let mut before = "the base".to_owned();
    for (role, head) in heads {
        if mirror.is_ancestor(head, &joined).await? {
            continue;
        }
        let name = format!("the work of {role}");
        if mirror.is_ancestor(&joined, head).await? {
            joined = head.clone();
        } else {
            let tree = match merge_trees(&mirror, None, &joined, head).await? {
                MergedTree::Clean(tree) => tree,
                MergedTree::Conflicting(found) => {
                    let conflict =
                        describe(&mirror, &found, (&joined, &before), (head, &name)).await?;
                    return Ok(Joined::Conflict(conflict));
                }
            };
            let message = format!("Merge {name}");
            let commit = NewCommit {
                tree: &tree,
                parents: &[&joined, head],
                author: &who,
                committer: &who,
                encoding: None,
                message: message.as_bytes(),
            };
            joined = commit.write(&mirror).await?;
        }
        before = if before == "the base" { name } else { format!("{before} and {role}") };
    }
    mirror.keep("joined", &joined).await?;
    Ok(Joined::Clean { head: joined })
}
