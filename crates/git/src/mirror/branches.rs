//! Branches in the mirror: theirs, as last fetched, and ours.

use domain::revision::{BranchName, CommitSha};
use ports::GitError;

use super::Mirror;
use crate::revisions;

/// Where the mirror keeps a branch of the people's repository.
const TRACKING: &str = "refs/remotes/origin/";

/// The ref of a branch of the people's repository, as of the last sync.
pub(crate) fn tracking_ref(branch: &BranchName) -> String {
    format!("{TRACKING}{branch}")
}

/// The branches of the people's repository. One whose name we do not accept is as good as absent.
pub(crate) async fn list_branches(mirror: &Mirror<'_>) -> Result<Vec<BranchName>, GitError> {
    let args = ["for-each-ref", "--format=%(refname)", TRACKING];
    let output = mirror.git("list the branches").args(args).run().await?;
    Ok(output
        .text()
        .lines()
        .filter_map(|it| BranchName::new(it.strip_prefix(TRACKING)?).ok())
        .collect())
}

/// The first lines of the messages of the newest commits of one of the people's branches, or of all.
pub(crate) async fn list_subjects(
    mirror: &Mirror<'_>,
    branch: Option<&BranchName>,
    max: u32,
) -> Result<Vec<String>, GitError> {
    let count = format!("--max-count={max}");
    let heads = branch.map_or_else(|| format!("--glob={TRACKING}*"), tracking_ref);
    let args = ["log", "-z", "--format=%s", &count, &heads, "--"];
    let output = mirror.git("read the log of the branches").args(args).run().await?;
    let subjects = output.stdout.split(|byte| *byte == 0).filter(|subject| !subject.is_empty());
    Ok(subjects.map(|subject| String::from_utf8_lossy(subject).into_owned()).collect())
}

/// The merges among the newest `max` commits that it was moved to whose messages have `line` as a line, the newest first.
pub(crate) async fn find_merges(
    mirror: &Mirror<'_>,
    branch: &BranchName,
    line: &str,
    max: u32,
) -> Result<Vec<CommitSha>, GitError> {
    let operation = format!("look for merges in `{branch}`");
    let (pattern, head) = (format!("--grep=^{}$", literally(line)), tracking_ref(branch));
    let skip = format!("--skip={max}");
    let args = ["rev-list", "--first-parent", &skip, "--max-count=1", &head, "--"];
    // A limit on what is shown would be none on what is looked through.
    let older = mirror.git(operation.as_str()).args(args).run().await?.text();
    let range = match older.trim() {
        "" => head,
        older => format!("{older}..{head}"),
    };
    let args = ["rev-list", "--merges", "--first-parent", "--basic-regexp", &pattern, &range, "--"];
    let output = mirror.git(operation.as_str()).args(args).run().await?;
    output.text().lines().map(|id| revisions::commit(&operation, id)).collect()
}

/// A basic regular expression for these very characters.
fn literally(text: &str) -> String {
    let special = |c: char| matches!(c, '.' | '[' | ']' | '*' | '^' | '$' | '\\');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Moves one of our branches if it is where it should be, or already where it is to go.
pub(crate) async fn move_branch(
    mirror: &Mirror<'_>,
    branch: &BranchName,
    from: Option<&CommitSha>,
    to: &CommitSha,
) -> Result<(), GitError> {
    let reference = branch.full_ref();
    let operation = format!("move `{branch}` to {}", to.short());
    // Git reads an empty value as "must not exist".
    let expected = from.map_or("", CommitSha::as_str);
    let args = ["update-ref", &reference, to.as_str(), expected];
    let output = mirror.git(&operation).args(args).output().await?;
    if output.code == 0 {
        return Ok(());
    }
    let found = mirror.find_commit(&reference).await?;
    if found.as_ref() == Some(to) {
        return Ok(());
    }
    if found.as_ref() == from {
        return Err(GitError::Command { operation, stderr: output.short_stderr() });
    }
    Err(moved(reference, from, found.as_ref()))
}

/// A ref is not where it was expected.
pub(crate) fn moved(
    reference: String,
    expected: Option<&CommitSha>,
    found: Option<&CommitSha>,
) -> GitError {
    let name = |commit: Option<&CommitSha>| {
        commit.map_or_else(|| "no commit".to_owned(), ToString::to_string)
    };
    GitError::Moved { reference, expected: name(expected), found: name(found) }
}
