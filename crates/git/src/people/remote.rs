//! Landing and publishing behind a URL.

use domain::revision::{BranchName, CommitSha};
use ports::{GitError, Landing, ProjectRef, Publication};

use super::{land::Move, publish::taken};
use crate::{
    MirrorGit,
    command::Caller,
    mirror::{Mirror, moved, sync, tracking_ref},
};

/// What the other side made of a push.
enum Pushed {
    Done,
    /// It said no; its words.
    Rejected(String),
}

/// Moves the target by a push that the other side refuses where the target is not at `expected`.
pub(super) async fn land(
    git: &MirrorGit,
    project: &ProjectRef,
    url: &str,
    wanted: Move<'_>,
) -> Result<Landing, GitError> {
    let mirror = git.mirror(project);
    if let Some(done) = look(git, project, &mirror, wanted).await? {
        return Ok(done);
    }
    match push(git, &mirror, url, wanted.target, Some(wanted.expected), wanted.candidate).await? {
        Pushed::Done => Ok(Landing::Landed),
        Pushed::Rejected(words) => {
            let reason = format!("the repository refuses to move `{}`: {words}", wanted.target);
            Ok(look(git, project, &mirror, wanted).await?.unwrap_or(Landing::Refused { reason }))
        }
    }
}

/// What there is to say without moving anything. `None`: the target is where it was expected.
async fn look(
    git: &MirrorGit,
    project: &ProjectRef,
    mirror: &Mirror<'_>,
    wanted: Move<'_>,
) -> Result<Option<Landing>, GitError> {
    let Move { target, expected, candidate } = wanted;
    sync(git, project).await?;
    let Some(found) = mirror.find_commit(&tracking_ref(target)).await? else {
        return Err(moved(target.full_ref(), Some(expected), None));
    };
    if mirror.is_ancestor(candidate, &found).await? {
        Ok(Some(Landing::Landed))
    } else if found == *expected {
        Ok(None)
    } else {
        Ok(Some(Landing::TargetMoved { found }))
    }
}

/// Creates the branch, or moves it forward. One that has gone on from the commit has it.
pub(super) async fn publish(
    git: &MirrorGit,
    project: &ProjectRef,
    url: &str,
    branch: &BranchName,
    head: &CommitSha,
) -> Result<Publication, GitError> {
    sync(git, project).await?;
    let mirror = git.mirror(project);
    let found = mirror.find_commit(&tracking_ref(branch)).await?;
    if let Some(found) = &found {
        if mirror.is_ancestor(head, found).await? {
            return Ok(Publication::Published);
        }
        if !mirror.is_ancestor(found, head).await? {
            return Ok(taken(branch, head, found, "rename or delete that branch there"));
        }
    }
    let Pushed::Rejected(stderr) = push(git, &mirror, url, branch, found.as_ref(), head).await?
    else {
        return Ok(Publication::Published);
    };
    sync(git, project).await?;
    let now = mirror.find_commit(&tracking_ref(branch)).await?;
    if now.as_ref() == Some(head) {
        Ok(Publication::Published)
    } else if now == found {
        Err(GitError::Command { operation: format!("publish `{branch}`"), stderr })
    } else {
        Err(moved(branch.full_ref(), found.as_ref(), now.as_ref()))
    }
}

async fn push(
    git: &MirrorGit,
    mirror: &Mirror<'_>,
    url: &str,
    branch: &BranchName,
    expected: Option<&CommitSha>,
    to: &CommitSha,
) -> Result<Pushed, GitError> {
    let operation = format!("push `{branch}`");
    let reference = branch.full_ref();
    // Without a commit, the lease means that the branch must not exist.
    let lease =
        format!("--force-with-lease={reference}:{}", expected.map_or("", CommitSha::as_str));
    let call = git.runner.git(Caller::People, &operation).dir(mirror.git_dir());
    let call = call.arg(format!("--git-dir={}", mirror.git_dir()));
    let call = call.args([
        "push",
        "--porcelain",
        "--no-follow-tags",
        "--recurse-submodules=no",
        "--no-signed",
    ]);
    let output = call.args([&lease, "--", url, &format!("{to}:{reference}")]).output().await?;
    if output.code == 0 {
        return Ok(Pushed::Done);
    }
    // One line for each ref: a flag, the ref, the answer. Without it nobody has answered.
    let text = output.text();
    let answer = text.lines().find_map(|line| line.strip_prefix("!\t")?.split('\t').nth(1));
    match answer {
        Some(answer) => Ok(Pushed::Rejected(
            format!("{answer}\n{}", output.short_stderr()).trim_end().to_owned(),
        )),
        None => Err(GitError::Command { operation, stderr: output.short_stderr() }),
    }
}
