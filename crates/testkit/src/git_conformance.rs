//! What moves in the people's repository and what does not: cases that the real git and the one of stories both pass.

#![expect(clippy::unwrap_used, reason = "a call that fails is a failed test, here as in any test")]

use domain::revision::{BranchName, CommitSha};
use jiff::Timestamp;
use ports::{FileWrite, Git, Landing, ProjectRef, Publication};

#[cfg(test)]
mod tests;

/// Where a branch of the people's repository is now.
async fn place(git: &dyn Git, project: &ProjectRef, branch: &BranchName) -> Option<CommitSha> {
    git.sync(project).await.unwrap();
    git.find_target(project, branch).await.unwrap()
}

/// A commit on top of that one, in our mirror only.
async fn commit(git: &dyn Git, project: &ProjectRef, on: &CommitSha, path: &str) -> CommitSha {
    let file = FileWrite { path: path.to_owned(), content: b"work".to_vec() };
    git.commit_files(project, on, &[file], path, Timestamp::UNIX_EPOCH).await.unwrap()
}

/// Four commits: where `main` is, two on top of each other, and one beside them.
async fn commits(git: &dyn Git, project: &ProjectRef) -> [CommitSha; 4] {
    let base = place(git, project, &branch("main")).await.unwrap();
    let first = commit(git, project, &base, "first").await;
    let second = commit(git, project, &first, "second").await;
    let other = commit(git, project, &base, "other").await;
    [base, first, second, other]
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

/// A finished branch is made or moved forward, and takes nobody's work away.
pub async fn a_branch_is_published_where_nothing_is_lost(git: &dyn Git, project: &ProjectRef) {
    let [_, first, second, other] = &commits(git, project).await;
    let branch = branch("finished");
    for (what, head, is_published, now) in [
        ("it is made", first, true, first),
        ("it is there", first, true, first),
        ("it is moved forward", second, true, second),
        ("it has gone on from there", first, true, second),
        ("it is other work", other, false, second),
    ] {
        let publication = git.publish(project, &branch, head).await.unwrap();
        let published = matches!(publication, Publication::Published);
        assert_eq!(published, is_published, "{what}: {publication:?}");
        assert_eq!(place(git, project, &branch).await.as_ref(), Some(now), "{what}");
    }
}

/// A target is moved by whoever knows where it is, and once.
pub async fn a_target_is_moved_once_from_where_it_is(git: &dyn Git, project: &ProjectRef) {
    let [base, first, second, other] = &commits(git, project).await;
    let target = branch("main");
    let late = Landing::TargetMoved { found: first.clone() };
    for (what, expected, candidate, answer, now) in [
        ("it is moved", base, first, &Landing::Landed, first),
        ("it was moved by an earlier try", base, first, &Landing::Landed, first),
        ("it is elsewhere", base, other, &late, first),
        ("it is moved on", first, second, &Landing::Landed, second),
        ("it has gone on from there", base, first, &Landing::Landed, second),
    ] {
        let landing = git.land(project, &target, expected, candidate).await.unwrap();
        assert_eq!(landing, *answer, "{what}");
        assert_eq!(place(git, project, &target).await.as_ref(), Some(now), "{what}");
    }
}
