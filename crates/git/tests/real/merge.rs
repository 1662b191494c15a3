//! Joining and integrating, inside the mirror.

use domain::{name::RoleName, revision::CommitSha};
use ports::{FileWrite, Git, Integration, Joined, MergeStrategy};

use crate::world::{World, branch, commit, head, run, time, write};

fn role(name: &str) -> RoleName {
    RoleName::new(name).expect("a role")
}

async fn integrate(world: &World, head: &CommitSha, strategy: MergeStrategy) -> Integration {
    world.git.integrate(&world.merge(head, strategy), time()).await.expect("integrated")
}

fn parents(world: &World, commit: &CommitSha) -> Vec<String> {
    let text = run(&world.mirror(), ["log", "-1", "--format=%P", commit.as_str()]);
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn roles_that_touch_different_files_are_joined_the_same_way_every_time() {
    let world = World::synced().await;
    let base = world.target().await;
    let heads = [
        (role("coder"), world.change("a", "a").await),
        (role("tester"), world.change("b", "b").await),
        (role("writer"), base.clone()),
    ];
    let join = || world.git.join(&world.project, &base, &heads, time());
    let joined = join().await.expect("joined");
    assert_eq!(joined, join().await.expect("joined"));
    let Joined::Clean { head } = joined else { panic!("{joined:?}") };
    assert_eq!(parents(&world, &head), [heads[0].1.to_string(), heads[1].1.to_string()]);
    assert_eq!(world.show(&head, "a") + &world.show(&head, "b"), "ab");
}

#[tokio::test]
async fn roles_that_contradict_each_other_are_told_where() {
    let world = World::synced().await;
    let base = world.target().await;
    let heads = [
        (role("coder"), world.change("src/lib.txt", "one\nCODER\nthree\n").await),
        (role("tester"), world.change("src/lib.txt", "one\nTESTER\nthree\n").await),
    ];
    let joined = world.git.join(&world.project, &base, &heads, time()).await.expect("joined");
    let Joined::Conflict(conflict) = joined else { panic!("{joined:?}") };
    assert_eq!(conflict.findings.len(), 1);
    let finding = &conflict.findings[0];
    assert_eq!(finding.path.as_deref(), Some("src/lib.txt"));
    let expected = "`src/lib.txt` is in conflict: the work of tester against the work of coder\n\
                    CONFLICT (content): Merge conflict in src/lib.txt\n\
                    line 2:\n<<<<<<< the work of coder\nCODER\n=======\nTESTER\n>>>>>>> the work of tester\n";
    assert_eq!(finding.message, expected);
}

#[tokio::test]
async fn a_file_that_one_side_removed_is_a_conflict_with_words() {
    let world = World::synced().await;
    let head = world.change("README", "changed\n").await;
    run(&world.people(), ["rm", "--quiet", "README"]);
    commit(&world.people(), "removed");
    let found = integrate(&world, &head, MergeStrategy::Rebase).await;
    let Integration::Conflict { conflict, .. } = found else { panic!("{found:?}") };
    let message = &conflict.findings[0].message;
    assert!(message.contains("README deleted in `main` and modified in the branch"), "{message}");
}

#[tokio::test]
async fn a_target_that_did_not_move_gets_a_merge_commit_with_the_tree_of_the_branch() {
    let world = World::synced().await;
    let target = world.target().await;
    let change = world.change("a", "a").await;
    let found = integrate(&world, &change, MergeStrategy::Rebase).await;
    let Integration::Candidate { commit, tree, head, target: onto } = found.clone() else {
        panic!("{found:?}")
    };
    assert_eq!((&head, &onto), (&change, &target));
    assert_eq!(parents(&world, &commit), [target.to_string(), change.to_string()]);
    assert_eq!(tree, world.git.load_tree(&world.project, &change).await.expect("a tree"));
    assert_eq!(world.kept(), [format!("refs/gatewright/candidate/{commit}")]);
    assert_eq!(integrate(&world, &change, MergeStrategy::Rebase).await, found);
}

#[tokio::test]
async fn a_target_that_moved_has_the_commits_replayed_on_it() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "a", "a");
    commit(&workspace.repository, "first\n\nbody with ümlaut");
    write(&workspace.repository, "README", "new\n");
    commit(&workspace.repository, "reaches the target by another way");
    write(&workspace.repository, "b", "b");
    let ports::HandIn::Accepted { head: ours, .. } = world.hand_in(&workspace).await else {
        panic!("refused")
    };
    write(&world.people(), "README", "new\n");
    write(&world.people(), "theirs", "t");
    let target = commit(&world.people(), "theirs");

    let found = integrate(&world, &ours, MergeStrategy::Rebase).await;
    let Integration::Candidate { commit, head, .. } = found else { panic!("{found:?}") };
    assert_ne!(head, ours);
    let log = run(&world.mirror(), ["log", "--format=%an|%cn|%B", &format!("{target}..{head}")]);
    assert!(log.contains("Ann|Gatewright|first\n\nbody with ümlaut\n"), "{log}");
    assert!(!log.contains("another way"), "{log}");
    assert_eq!(parents(&world, &commit), [target.to_string(), head.to_string()]);
    assert_eq!(
        world.show(&commit, "a") + &world.show(&commit, "b") + &world.show(&commit, "theirs"),
        "abt"
    );
}

#[tokio::test]
async fn a_commit_that_cannot_be_replayed_is_told_with_its_hunk() {
    let world = World::synced().await;
    let change = world.change("src/lib.txt", "one\nOURS\nthree\n").await;
    write(&world.people(), "src/lib.txt", "one\nTHEIRS\nthree\n");
    commit(&world.people(), "theirs");
    for strategy in [MergeStrategy::Rebase, MergeStrategy::Merge] {
        let found = integrate(&world, &change, strategy).await;
        let Integration::Conflict { conflict, .. } = found else { panic!("{found:?}") };
        let message = &conflict.findings[0].message;
        assert!(message.contains("<<<<<<< `main`\nTHEIRS\n=======\nOURS\n>>>>>>> "), "{message}");
    }
}

#[tokio::test]
async fn a_conflict_that_was_mended_on_top_of_both_sides_fits() {
    let world = World::synced().await;
    let change = world.change("src/lib.txt", "one\nOURS\nthree\n").await;
    write(&world.people(), "src/lib.txt", "one\nTHEIRS\nthree\n");
    let target = commit(&world.people(), "theirs");
    let found = integrate(&world, &change, MergeStrategy::Rebase).await;
    let Integration::Conflict { head, .. } = found else { panic!("{found:?}") };
    assert_eq!(parents(&world, &head), [change.to_string(), target.to_string()]);
    assert!(world.show(&head, "src/lib.txt").contains("<<<<<<< "));
    let mended =
        FileWrite { path: "src/lib.txt".to_owned(), content: b"one\nBOTH\nthree\n".to_vec() };
    let mended = world
        .git
        .commit_files(&world.project, &head, &[mended], "mended", time())
        .await
        .expect("a commit");
    let found = integrate(&world, &mended, MergeStrategy::Rebase).await;
    let Integration::Candidate { commit, .. } = found else { panic!("{found:?}") };
    assert_eq!(world.show(&commit, "src/lib.txt"), "one\nBOTH\nthree\n");
}

#[tokio::test]
async fn by_setting_the_branch_is_merged_as_it_is() {
    let world = World::synced().await;
    let change = world.change("a", "a").await;
    write(&world.people(), "theirs", "t");
    let target = commit(&world.people(), "theirs");
    let found = integrate(&world, &change, MergeStrategy::Merge).await;
    let Integration::Candidate { commit, head, .. } = found else { panic!("{found:?}") };
    assert_eq!(head, change);
    assert_eq!(parents(&world, &commit), [target.to_string(), change.to_string()]);
    assert_eq!(world.show(&commit, "a") + &world.show(&commit, "theirs"), "at");
}

#[tokio::test]
async fn a_branch_with_a_merge_in_it_is_merged_and_its_resolution_kept() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let repository = &workspace.repository;
    run(repository, ["checkout", "--quiet", "-b", "side"]);
    write(repository, "README", "side\n");
    commit(repository, "side");
    run(repository, ["checkout", "--quiet", "gw/ET-1"]);
    write(repository, "README", "own\n");
    commit(repository, "own");
    run(repository, ["merge", "--quiet", "--strategy=ours", "side"]);
    write(repository, "README", "resolved\n");
    run(repository, ["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    let ports::HandIn::Accepted { head: ours, .. } = world.hand_in(&workspace).await else {
        panic!("refused")
    };
    write(&world.people(), "theirs", "t");
    commit(&world.people(), "theirs");
    let found = integrate(&world, &ours, MergeStrategy::Rebase).await;
    let Integration::Candidate { commit, head, .. } = found else { panic!("{found:?}") };
    assert_eq!(head, ours);
    assert_eq!(world.show(&commit, "README"), "resolved\n");
}

#[tokio::test]
async fn what_the_target_holds_already_is_not_merged_again() {
    let world = World::synced().await;
    let change = world.change("README", "same\n").await;
    write(&world.people(), "README", "same\n");
    let target = commit(&world.people(), "the same change by hand");
    let found = integrate(&world, &change, MergeStrategy::Rebase).await;
    assert_eq!(found, Integration::AlreadyMerged { target: target.clone() });
    let found = integrate(&world, &head(&world.people()), MergeStrategy::Merge).await;
    assert_eq!(found, Integration::AlreadyMerged { target });
}

#[tokio::test]
async fn a_target_that_does_not_exist_is_an_error() {
    let world = World::synced().await;
    let change = world.change("a", "a").await;
    let merge =
        ports::Merge { target: branch("absent"), ..world.merge(&change, MergeStrategy::Merge) };
    assert!(world.git.integrate(&merge, time()).await.is_err());
}
