//! Bringing the mirror up to date.

use std::fs;

use ports::{Git, GitError};
use tokio::task::JoinSet;

use crate::world::{World, branch, commit, head, options, run, write};

#[tokio::test]
async fn the_newest_subjects_of_all_branches_are_read() {
    let world = World::new();
    let people = world.people();
    let list = async |max| world.git.list_subjects(&world.project, None, max).await.expect("a log");
    commit(&people, "second\n\nand more of it");
    world.git.sync(&world.project).await.expect("synced");
    assert_eq!(list(10).await, ["second", "base"]);
    assert_eq!(list(1).await, ["second"]);
    run(&people, ["switch", "--quiet", "--create", "releases/2", "HEAD~1"]);
    commit(&people, "third");
    run(&people, ["switch", "--quiet", "main"]);
    world.git.sync(&world.project).await.expect("synced");
    let mut all = list(10).await;
    all.sort();
    assert_eq!(all, ["base", "second", "third"]);
    let list =
        async |name, max| world.git.list_subjects(&world.project, Some(&branch(name)), max).await;
    assert_eq!(list("main", 1).await.expect("a log"), ["second"]);
    assert!(matches!(list("nowhere", 1).await, Err(GitError::Command { .. })));
}

/// Only merges into the branch, only the newest, and only with this very line: titles and agents write others.
#[tokio::test]
async fn merges_are_found_by_a_line() {
    let world = World::new();
    let (people, line) = (world.people(), "Branch a.b of pipeline p.1.");
    let since = head(&people);
    let merge = |onto: &str, name: &str, message: &str| {
        run(&people, ["switch", "--quiet", "--create", name, since.as_str()]);
        commit(&people, &format!("{name}\n\n{line}"));
        run(&people, ["switch", "--quiet", onto]);
        run(&people, ["merge", "--quiet", "--no-ff", "--message", message, name]);
    };
    run(&people, ["switch", "--quiet", "--create", "agent"]);
    merge("agent", "forged", &format!("Merge it\n\n{line}"));
    run(&people, ["switch", "--quiet", "main"]);
    run(&people, ["merge", "--quiet", "--no-ff", "--message", "Merge agent", "agent"]);
    merge("main", "one", &format!("Merge it\n\n{line}"));
    let ours = head(&people);
    merge("main", "two", &format!("Merge {line}"));
    merge("main", "three", "Merge it\n\nBranch axb of pipeline p.1.");
    world.git.sync(&world.project).await.expect("synced");
    let main = branch("main");
    let find = async |max| world.git.find_merges(&world.project, &main, line, max).await;
    assert_eq!(find(10).await.expect("looked"), std::slice::from_ref(&ours));
    assert_eq!(find(3).await.expect("looked"), [ours], "two were merged since");
    assert_eq!(find(2).await.expect("looked"), [], "it is not among the newest two");
}

#[tokio::test]
async fn branches_of_the_people_are_seen_after_a_sync_and_gone_when_they_are_gone() {
    let world = World::new();
    run(&world.people(), ["branch", "old"]);
    world.git.sync(&world.project).await.expect("synced");
    assert_eq!(world.target().await, head(&world.people()));
    let branches = world.git.list_branches(&world.project).await.expect("branches");
    assert_eq!(branches, [branch("main"), branch("old")]);

    run(&world.people(), ["branch", "-D", "old"]);
    run(&world.people(), ["branch", "old/nested"]);
    let new = commit(&world.people(), "next");
    world.git.sync(&world.project).await.expect("synced");
    assert_eq!(world.target().await, new);
    assert_eq!(
        world.git.find_target(&world.project, &branch("old")).await.expect("looked up"),
        None
    );
}

#[tokio::test]
async fn a_branch_of_ours_is_not_touched_by_one_of_the_same_name() {
    let world = World::synced().await;
    let ours = world.change("a", "ours").await;
    world.git.move_branch(&world.project, &branch("same"), None, &ours).await.expect("moved");
    run(&world.people(), ["branch", "same"]);
    world.git.sync(&world.project).await.expect("synced");
    run(&world.people(), ["branch", "-D", "same"]);
    world.git.sync(&world.project).await.expect("synced");
    let found = world.git.find_head(&world.project, &branch("same")).await.expect("looked up");
    assert_eq!(found, Some(ours));
}

#[tokio::test]
async fn what_is_not_a_repository_is_named() {
    let world = World::new();
    fs::create_dir(world.root.join("plain")).expect("a directory");
    let inside = world.people().join("src");
    for place in [world.root.join("plain"), world.root.join("absent"), inside] {
        let error = world.git.sync(&world.at(&place)).await.expect_err("not a repository");
        assert!(matches!(&error, GitError::NotARepository { path } if *path == place), "{error:?}");
    }
    assert!(!world.mirror().exists());
}

#[tokio::test]
async fn a_repository_without_a_commit_is_empty_until_it_has_one() {
    let world = World::new();
    let place = world.root.join("new");
    run(&world.root, ["init", "--quiet", "--initial-branch=main", "new"]);
    let project = world.at(&place);
    let error = world.git.sync(&project).await.expect_err("empty");
    assert!(matches!(&error, GitError::Empty { path } if *path == place), "{error:?}");
    commit(&place, "first");
    world.git.sync(&project).await.expect("synced");
}

#[tokio::test]
async fn every_kind_of_repository_can_be_fetched_from() {
    let world = World::new();
    run(&world.people(), ["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    run(&world.root, ["clone", "--quiet", "--bare", "people", "odd 'name'.git"]);
    let url = format!("file://{}", world.bare());
    let places = [
        world.root.join("bare.git"),
        world.root.join("linked"),
        world.root.join("odd 'name'.git"),
        url.into(),
    ];
    for (number, place) in places.iter().enumerate() {
        let git = git::MirrorGit::new(options(&world.root.join(format!("data-{number}"))));
        let project = world.at(place);
        git.sync(&project).await.unwrap_or_else(|error| panic!("{place}: {error:?}"));
        let found = git.find_target(&project, &branch("main")).await.expect("looked up");
        assert_eq!(found, Some(head(&world.people())), "{place}");
    }
}

#[tokio::test]
async fn a_repository_with_long_object_ids_works_to_the_end() {
    let mut world = World::new();
    run(
        &world.root,
        ["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "long"],
    );
    write(&world.root.join("long"), "a", "a");
    let first = commit(&world.root.join("long"), "first");
    world.project = world.at(world.root.join("long"));
    world.git.sync(&world.project).await.expect("synced");
    assert_eq!(world.target().await, first);
    let workspace = world.open().await;
    write(&workspace.repository, "b", "b");
    let answer = world.hand_in(&workspace).await;
    assert!(
        matches!(&answer, ports::HandIn::Accepted { changed, .. } if changed.len() == 1),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_syncs_at_once_all_succeed() {
    let world = World::new();
    for number in 0..30 {
        run(&world.people(), ["branch", &format!("b{number}")]);
    }
    let mut syncs = JoinSet::new();
    for _ in 0..3 {
        let git = std::sync::Arc::new(world.other_process());
        for _ in 0..3 {
            let (git, project) = (git.clone(), world.project.clone());
            syncs.spawn(async move { git.sync(&project).await });
        }
    }
    for result in syncs.join_all().await {
        result.expect("synced");
    }
    assert_eq!(world.git.list_branches(&world.project).await.expect("branches").len(), 31);
}
