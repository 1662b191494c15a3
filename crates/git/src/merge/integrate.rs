//! Bringing a branch onto its target.

use domain::revision::{CommitSha, TreeSha};
use jiff::Timestamp;
use ports::{Conflict, GitError, Integration, Merge, MergeStrategy};

use super::{
    conflict::describe,
    replay::{Replayed, replay},
    tree::{MergedTree, merge_trees},
};
use crate::{
    MirrorGit,
    commit::NewCommit,
    mirror::{Mirror, sync, tracking_ref},
};

/// A branch's head that fits its target, and the tree of both.
enum Fitted {
    Yes { head: CommitSha, tree: TreeSha },
    No { tree: TreeSha, conflict: Conflict },
}

/// Makes a merge commit of target and branch, and keeps it in the mirror. Nothing public moves.
pub(crate) async fn integrate(
    git: &MirrorGit,
    merge: &Merge,
    at: Timestamp,
) -> Result<Integration, GitError> {
    let Merge { project, head, target, strategy, message } = merge;
    sync(git, project).await?;
    let mirror = git.mirror(project);
    let Some(onto) = mirror.find_commit(&tracking_ref(target)).await? else {
        return Err(GitError::Command {
            operation: format!("find the target branch `{target}`"),
            stderr: format!("there is no such branch in `{}`", project.repository),
        });
    };
    if mirror.is_ancestor(head, &onto).await? {
        return Ok(Integration::AlreadyMerged { target: onto });
    }
    let target_name = format!("`{target}`");
    let fitted = if mirror.is_ancestor(&onto, head).await? {
        Fitted::Yes { head: head.clone(), tree: mirror.load_tree(head).await? }
    } else {
        match strategy {
            MergeStrategy::Merge => merged(&mirror, &onto, head, &target_name).await?,
            MergeStrategy::Rebase => {
                match replay(&mirror, &onto, head, (&git.author, at)).await? {
                    Replayed::Head(head) => {
                        Fitted::Yes { tree: mirror.load_tree(&head).await?, head }
                    }
                    // A commit that does not fit may have been mended by a later one: what counts is the end.
                    Replayed::NotLinear | Replayed::Conflict => {
                        merged(&mirror, &onto, head, &target_name).await?
                    }
                }
            }
        }
    };
    let (head, tree) = match fitted {
        // Every change of the branch had reached the target by another way.
        Fitted::Yes { head, .. } if head == onto => {
            return Ok(Integration::AlreadyMerged { target: onto });
        }
        Fitted::Yes { head, tree } => (head, tree),
        Fitted::No { tree, conflict } => {
            let message =
                format!("Merge {target_name} into the branch, with conflicts to be mended\n");
            let who = git.author.line(at);
            let both = NewCommit {
                tree: &tree,
                parents: &[head, &onto],
                author: &who,
                committer: &who,
                encoding: None,
                message: message.as_bytes(),
            };
            let head = both.write(&mirror).await?;
            mirror.keep("conflict", &head).await?;
            return Ok(Integration::Conflict { head, conflict });
        }
    };
    let who = git.author.line(at);
    let commit = NewCommit {
        tree: &tree,
        parents: &[&onto, &head],
        author: &who,
        committer: &who,
        encoding: None,
        message: message.as_bytes(),
    };
    let commit = commit.write(&mirror).await?;
    mirror.keep("candidate", &commit).await?;
    Ok(Integration::Candidate { commit, tree, head, target: onto })
}

async fn merged(
    mirror: &Mirror<'_>,
    onto: &CommitSha,
    head: &CommitSha,
    target_name: &str,
) -> Result<Fitted, GitError> {
    Ok(match merge_trees(mirror, None, onto, head).await? {
        MergedTree::Clean(tree) => Fitted::Yes { head: head.clone(), tree },
        MergedTree::Conflicting(found) => {
            let conflict =
                describe(mirror, &found, (onto, target_name), (head, "the branch")).await?;
            Fitted::No { tree: found.tree, conflict }
        }
    })
}
