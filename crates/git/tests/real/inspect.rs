//! Looking at the people's repository, and making one.

use git::SeedFile;
use ports::GitError;

use crate::world::{World, run, write};

#[tokio::test]
async fn a_repository_is_found_from_a_directory_below_its_root() {
    let world = World::new();
    let inspection = world.git.inspect(&world.people().join("src")).await.expect("a repository");
    assert_eq!(inspection.root, world.people());
    assert_eq!(inspection.branch.map(|it| it.to_string()).as_deref(), Some("main"));
    assert!(inspection.head.is_some());
    assert_eq!(inspection.uncommitted, 0);
}

#[tokio::test]
async fn every_path_with_changes_counts_once_a_rename_as_two() {
    let world = World::new();
    write(&world.people(), "README", "changed\n");
    write(&world.people(), "new\nname", "new\n");
    run(&world.people(), ["mv", "src/lib.txt", "src/moved.txt"]);
    let inspection = world.git.inspect(&world.people()).await.expect("a repository");
    assert_eq!(inspection.uncommitted, 4);
}

#[tokio::test]
async fn a_detached_head_is_on_no_branch() {
    let world = World::new();
    run(&world.people(), ["checkout", "--quiet", "--detach"]);
    let inspection = world.git.inspect(&world.people()).await.expect("a repository");
    assert_eq!(inspection.branch, None);
    assert!(inspection.head.is_some());
}

#[tokio::test]
async fn a_bare_repository_is_its_own_root_and_an_empty_one_has_no_head() {
    let world = World::new();
    let bare = world.root.join("bare.git");
    run(&world.root, ["init", "--quiet", "--bare", "--initial-branch=main", bare.as_str()]);
    let inspection = world.git.inspect(&bare).await.expect("a repository");
    assert_eq!((inspection.root, inspection.head, inspection.uncommitted), (bare, None, 0));
}

#[tokio::test]
async fn a_clone_without_its_history_is_told() {
    let world = World::new();
    let shallow = world.root.join("shallow");
    let from = format!("file://{}", world.people());
    run(&world.root, ["clone", "--quiet", "--depth=1", from.as_str(), shallow.as_str()]);
    assert!(world.git.inspect(&shallow).await.expect("a repository").shallow);
    assert!(!world.git.inspect(&world.people()).await.expect("a repository").shallow);
}

#[tokio::test]
async fn a_directory_without_a_repository_is_named() {
    let world = World::new();
    let error = world.git.inspect(&world.root).await.expect_err("no repository");
    assert!(matches!(error, GitError::NotARepository { path } if path == world.root.as_str()));
}

#[tokio::test]
async fn a_seeded_repository_has_one_commit_with_its_files() {
    let world = World::new();
    let dir = world.root.join("seed");
    let main = domain::revision::BranchName::new("main").expect("a branch");
    let file = |path: &str, executable| SeedFile {
        path: path.to_owned(),
        content: "echo hi\n".to_owned(),
        executable,
    };
    let head = world
        .git
        .seed(&dir, &main, vec![file("bin/run", true), file("README", false)])
        .await
        .expect("a repository");
    let inspection = world.git.inspect(&dir).await.expect("a repository");
    assert_eq!((inspection.head, inspection.uncommitted), (Some(head), 0));
    let tree = run(&dir, ["ls-tree", "-r", "HEAD"]);
    assert!(tree.contains("100755 blob") && tree.contains("bin/run"), "{tree}");
}
