//! Moving the target of the people's repository.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::CommitSha;
use ports::{Git, GitError, Integration, Landing, MergeStrategy, ProjectRef};
use testkit::git_conformance;

use crate::world::{World, branch, commit, read, run, sha, time, trap, write};

/// A candidate for the target of `project`, and where the target was.
async fn candidate(world: &World) -> (CommitSha, CommitSha) {
    let change = world.change("landed", "yes").await;
    let found = world
        .git
        .integrate(&world.merge(&change, MergeStrategy::Rebase), time())
        .await
        .expect("integrated");
    let Integration::Candidate { commit, target, .. } = found else { panic!("{found:?}") };
    (commit, target)
}

async fn land(world: &World, project: &ProjectRef, from: &CommitSha, to: &CommitSha) -> Landing {
    world.git.land(project, &branch("main"), from, to).await.expect("an answer")
}

fn target(place: &Utf8Path) -> CommitSha {
    sha(&run(place, ["rev-parse", "refs/heads/main"]))
}

fn reason(landing: Landing) -> String {
    let Landing::Refused { reason } = landing else { panic!("{landing:?}") };
    reason
}

#[tokio::test]
async fn a_bare_repository_is_landed_in_twice_with_the_same_answer() {
    let world = World::synced().await;
    let bare = world.at(world.bare());
    let (candidate, expected) = candidate(&world).await;
    assert_eq!(land(&world, &bare, &expected, &candidate).await, Landing::Landed);
    assert_eq!(target(Utf8Path::new(&bare.repository)), candidate);
    assert_eq!(land(&world, &bare, &expected, &candidate).await, Landing::Landed);
    run(Utf8Path::new(&bare.repository), ["fsck", "--full"]);
}

#[tokio::test]
async fn a_checked_out_target_gets_its_files() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    write(&world.people(), "README", "local change, not in the way\n");
    write(&world.people(), "untracked", "x");
    for hook in ["post-merge", "reference-transaction", "post-checkout"] {
        trap(&world.people().join(".git/hooks").join(hook), &world.root.join("marker"));
    }
    assert_eq!(land(&world, &world.project, &expected, &candidate).await, Landing::Landed);
    assert_eq!(target(&world.people()), candidate);
    assert_eq!(read(&world.people(), "landed"), "yes");
    assert_eq!(read(&world.people(), "README"), "local change, not in the way\n");
    assert_eq!(run(&world.people(), ["status", "--porcelain"]), " M README\n?? untracked\n");
    assert!(!world.root.join("marker").exists());
}

#[tokio::test]
async fn local_changes_in_the_way_are_named_and_kept() {
    let world = World::synced().await;
    let change = world.change("README", "theirs\n").await;
    let merge = world.merge(&change, MergeStrategy::Rebase);
    let found = world.git.integrate(&merge, time()).await.expect("integrated");
    let Integration::Candidate { commit: candidate, target: expected, .. } = found else {
        panic!("{found:?}")
    };
    write(&world.people(), "README", "mine\n");
    let reason = reason(land(&world, &world.project, &expected, &candidate).await);
    let people = world.people();
    let words = format!(
        "`main` is checked out in {people}, and local changes are in the way of the merge: README; \
         commit or stash them, then retry"
    );
    assert_eq!(reason, words);
    assert_eq!((target(&people), read(&people, "README")), (expected.clone(), "mine\n".to_owned()));
    run(&people, ["stash", "--quiet"]);
    assert_eq!(land(&world, &world.project, &expected, &candidate).await, Landing::Landed);
}

#[tokio::test]
async fn an_untracked_file_in_the_way_is_named_and_kept() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    write(&world.people(), "landed", "mine");
    let reason = reason(land(&world, &world.project, &expected, &candidate).await);
    assert!(reason.contains("in the way of the merge: landed;"), "{reason}");
    assert_eq!(read(&world.people(), "landed"), "mine");
}

#[tokio::test]
async fn somebody_elses_git_in_the_work_tree_is_named() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    write(&world.people(), ".git/index.lock", "");
    let reason = reason(land(&world, &world.project, &expected, &candidate).await);
    assert!(reason.contains("index.lock"), "{reason}");
    assert_eq!(target(&world.people()), expected);
}

#[tokio::test]
async fn a_target_in_a_linked_work_tree_gets_its_files_there() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    run(&world.people(), ["checkout", "--quiet", "-b", "elsewhere"]);
    run(&world.people(), ["worktree", "add", "--quiet", "../linked", "main"]);
    assert_eq!(land(&world, &world.project, &expected, &candidate).await, Landing::Landed);
    assert_eq!(read(&world.root, "linked/landed"), "yes");
    assert!(!world.people().join("landed").exists());
}

#[tokio::test]
async fn a_target_that_is_not_checked_out_moves_under_a_dirty_work_tree() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    run(&world.people(), ["checkout", "--quiet", "-b", "elsewhere"]);
    write(&world.people(), "landed", "mine");
    // A work tree whose directory is gone does not hold its branch.
    run(&world.people(), ["worktree", "add", "--quiet", "../linked", "main"]);
    fs::remove_dir_all(world.root.join("linked")).expect("removed");
    assert_eq!(land(&world, &world.project, &expected, &candidate).await, Landing::Landed);
    assert_eq!(
        (target(&world.people()), read(&world.people(), "landed")),
        (candidate, "mine".to_owned())
    );
}

#[tokio::test]
async fn a_target_that_moved_is_left_alone() {
    let world = World::synced().await;
    let bare = world.bare();
    let (candidate, expected) = candidate(&world).await;
    write(&world.people(), "README", "faster\n");
    let found = commit(&world.people(), "faster");
    run(&world.people(), ["push", "--quiet", bare.as_str(), "main"]);
    for place in [world.people(), bare.clone(), format!("file://{bare}").into()] {
        let moved = Landing::TargetMoved { found: found.clone() };
        assert_eq!(land(&world, &world.at(&place), &expected, &candidate).await, moved, "{place}");
    }
    assert_eq!(target(&world.people()), found);
}

#[tokio::test]
async fn a_target_that_went_on_from_the_candidate_has_it() {
    let world = World::synced().await;
    let bare = world.bare();
    let (candidate, expected) = candidate(&world).await;
    assert_eq!(land(&world, &world.project, &expected, &candidate).await, Landing::Landed);
    commit(&world.people(), "later");
    run(&world.people(), ["push", "--quiet", bare.as_str(), "main"]);
    for place in [world.people(), bare.clone(), format!("file://{bare}").into()] {
        assert_eq!(
            land(&world, &world.at(&place), &expected, &candidate).await,
            Landing::Landed,
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_target_that_is_gone_is_an_error() {
    let world = World::synced().await;
    let bare = world.bare();
    let (candidate, expected) = candidate(&world).await;
    run(&bare, ["update-ref", "-d", "refs/heads/main"]);
    run(&bare, ["update-ref", "refs/heads/other", expected.as_str()]);
    for place in [bare.clone(), format!("file://{bare}").into()] {
        let result =
            world.git.land(&world.at(&place), &branch("main"), &expected, &candidate).await;
        assert!(matches!(result, Err(GitError::Moved { .. })), "{place}: {result:?}");
    }
}

#[tokio::test]
async fn a_target_that_is_checked_out_twice_is_refused() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    run(&world.people(), ["worktree", "add", "--quiet", "--force", "../linked", "main"]);
    let reason = reason(land(&world, &world.project, &expected, &candidate).await);
    assert!(reason.starts_with("`main` is checked out in "), "{reason}");
    assert_eq!(target(&world.people()), expected);
}

#[tokio::test]
async fn a_directory_inside_a_repository_is_not_landed_in() {
    let world = World::synced().await;
    let (candidate, expected) = candidate(&world).await;
    let inside: Utf8PathBuf = world.people().join("src");
    let result = world.git.land(&world.at(&inside), &branch("main"), &expected, &candidate).await;
    assert!(matches!(result, Err(GitError::NotARepository { .. })), "{result:?}");
}

#[tokio::test]
async fn behind_a_url_the_target_is_pushed() {
    let world = World::synced().await;
    let bare = world.bare();
    let url = world.at(format!("file://{bare}"));
    let (candidate, expected) = candidate(&world).await;
    assert_eq!(land(&world, &url, &expected, &candidate).await, Landing::Landed);
    assert_eq!(target(&bare), candidate);
    assert_eq!(land(&world, &url, &expected, &candidate).await, Landing::Landed);
}

#[tokio::test]
async fn a_push_that_the_other_side_forbids_is_refused_with_its_words() {
    let world = World::synced().await;
    let bare = world.bare();
    let hook = bare.join("hooks/pre-receive");
    trap(&hook, &world.root.join("marker"));
    fs::write(&hook, "#!/bin/sh\necho the branch is protected >&2\nexit 1\n").expect("a hook");
    let (candidate, expected) = candidate(&world).await;
    let url = world.at(format!("file://{bare}"));
    let reason = reason(land(&world, &url, &expected, &candidate).await);
    assert!(reason.starts_with("the repository refuses to move `main`"), "{reason}");
    assert!(reason.contains("the branch is protected"), "{reason}");
    assert_eq!(target(&bare), expected);
}

/// The same cases as the git of stories passes.
#[tokio::test]
async fn a_target_is_moved_once_from_where_it_is() {
    let world = World::synced().await;
    let bare = world.at(world.bare());
    git_conformance::a_target_is_moved_once_from_where_it_is(&world.git, &bare).await;
}
