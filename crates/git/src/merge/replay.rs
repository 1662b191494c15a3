//! Replaying commits on another one.

use domain::revision::CommitSha;
use jiff::Timestamp;
use ports::GitError;

use super::tree::{MergedTree, merge_trees};
use crate::{
    commit::{Author, NewCommit},
    mirror::{Mirror, read_objects},
    revisions,
};

/// What came of replaying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Replayed {
    /// The last replayed commit; the target itself where nothing was left to replay.
    Head(CommitSha),
    /// There is a merge or a root among the commits. A merge may hold the resolution of a conflict, which is in
    /// none of its parents and would be lost; a root has nothing that its changes could be counted from.
    NotLinear,
    /// One of them does not fit.
    Conflict,
}

/// Replays every commit of `head` that `onto` does not have, keeping author and message. One that changes nothing
/// any more is dropped.
pub(super) async fn replay(
    mirror: &Mirror<'_>,
    onto: &CommitSha,
    head: &CommitSha,
    committer: (&Author, Timestamp),
) -> Result<Replayed, GitError> {
    let Some(steps) = list_steps(mirror, onto, head).await? else {
        return Ok(Replayed::NotLinear);
    };
    let ids: Vec<&str> = steps.iter().map(|it| it.commit.as_str()).collect();
    let contents = read_objects(mirror, &ids).await?;
    let committer = committer.0.line(committer.1);
    let mut at = onto.clone();
    let mut at_tree = mirror.load_tree(onto).await?;
    for Step { commit, parent } in &steps {
        let original =
            contents.get(commit.as_str()).map(|it| Original::parse(it)).unwrap_or_default();
        let tree = match merge_trees(mirror, Some(parent), &at, commit).await? {
            MergedTree::Clean(tree) => tree,
            MergedTree::Conflicting(_) => return Ok(Replayed::Conflict),
        };
        if tree == at_tree {
            continue;
        }
        let replayed = NewCommit {
            tree: &tree,
            parents: &[&at],
            author: original.author,
            committer: &committer,
            encoding: original.encoding,
            message: original.message,
        };
        at = replayed.write(mirror).await?;
        at_tree = tree;
    }
    Ok(Replayed::Head(at))
}

struct Step {
    commit: CommitSha,
    parent: CommitSha,
}

/// The commits to be replayed, oldest first. `None`: they are not one line.
async fn list_steps(
    mirror: &Mirror<'_>,
    onto: &CommitSha,
    head: &CommitSha,
) -> Result<Option<Vec<Step>>, GitError> {
    let operation = "list the commits to be replayed";
    let range = format!("{onto}..{head}");
    let args = ["rev-list", "--reverse", "--topo-order", "--parents", &range];
    let output = mirror.git(operation).args(args).run().await?;
    let mut steps = Vec::new();
    for line in output.text().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [commit, parent] = words.as_slice() else { return Ok(None) };
        let (commit, parent) =
            (revisions::commit(operation, commit)?, revisions::commit(operation, parent)?);
        steps.push(Step { commit, parent });
    }
    Ok(Some(steps))
}

/// The parts of a commit that are kept. Its signature is not among them: it would be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Original<'a> {
    author: &'a [u8],
    encoding: Option<&'a [u8]>,
    message: &'a [u8],
}

impl<'a> Original<'a> {
    fn parse(commit: &'a [u8]) -> Self {
        let end = commit.windows(2).position(|it| it == b"\n\n").unwrap_or(commit.len());
        let message = commit.get(end + 2..).unwrap_or_default();
        let value = |name: &str| {
            let mut lines = commit[..end].split(|&byte| byte == b'\n');
            lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b" "))
        };
        Self { author: value("author").unwrap_or_default(), encoding: value("encoding"), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_keeps_its_author_and_message_and_loses_its_signature() {
        let commit = b"tree aa\nparent bb\nauthor \xe9 <e@x> 1 +0200\ncommitter c <c@x> 2 +0000\n\
            encoding ISO-8859-1\ngpgsig -----BEGIN\n author z <z@z> 3 +0000\n -----END\n\nSubject\n\nauthor no\n";
        let original = Original::parse(commit);
        assert_eq!(original.author, b"\xe9 <e@x> 1 +0200");
        assert_eq!(original.encoding, Some(b"ISO-8859-1".as_slice()));
        assert_eq!(original.message, b"Subject\n\nauthor no\n");
    }
}
