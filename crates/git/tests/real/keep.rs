//! Mirrors that are carried away and brought back.

use domain::revision::CommitSha;
use git::MirrorGit;
use ports::{Git, GitError};

use crate::world::{World, branch, options, run};

#[tokio::test]
async fn a_mirror_comes_back_with_everything_that_is_nowhere_else() {
    let world = World::synced().await;
    let on_a_branch = world.change("a", "on a branch").await;
    world.git.move_branch(&world.project, &branch("gw/x"), None, &on_a_branch).await.unwrap();
    let key = &world.project.key;
    assert_eq!(world.git.list_mirrors().await.unwrap(), std::slice::from_ref(key));
    let bundle = world.root.join("ET.bundle");
    assert!(world.git.pack_mirror(key, &bundle).await.unwrap());

    let other = MirrorGit::new(options(&world.root.join("other")));
    assert_eq!(other.list_mirrors().await.unwrap(), []);
    other.unpack_mirror(key, &bundle).await.unwrap();
    let refs = ["for-each-ref", "--format=%(refname) %(objectname)"];
    let restored = world.root.join("other/mirrors/ET.git");
    let found = run(&restored, refs);
    assert_eq!(found, run(&world.mirror(), refs));
    assert!(found.contains("refs/heads/gw/x") && found.contains("refs/remotes/origin/main"));
    other.sync(&world.project).await.expect("it is a mirror like any other");
}

/// What was committed by us is on no branch, and a branch may be moved away from where work began.
#[tokio::test]
async fn what_work_goes_on_from_is_in_a_copy_of_the_mirror() {
    let world = World::synced().await;
    let base = world.target().await;
    let taken_in = world.change("a", "on no branch").await;
    run(&world.people(), ["commit", "--quiet", "--amend", "--message", "another one"]);
    world.git.sync(&world.project).await.unwrap();
    let (key, bundle) = (&world.project.key, world.root.join("ET.bundle"));
    assert!(world.git.pack_mirror(key, &bundle).await.unwrap());
    let other = MirrorGit::new(options(&world.root.join("other")));
    other.unpack_mirror(key, &bundle).await.unwrap();
    assert_eq!(other.list_missing(key, &[base, taken_in]).await.unwrap(), []);
}

#[tokio::test]
async fn refs_that_no_mirror_has_do_not_come_in_with_a_bundle() {
    let world = World::synced().await;
    let people = world.people();
    run(&people, ["update-ref", "refs/replace/0000000000000000000000000000000000000000", "HEAD"]);
    run(&people, ["tag", "v1"]);
    let bundle = world.root.join("hostile.bundle");
    run(&people, ["bundle", "create", "--quiet", bundle.as_str(), "--all"]);
    let other = MirrorGit::new(options(&world.root.join("other")));
    other.unpack_mirror(&world.project.key, &bundle).await.unwrap();
    let refs =
        run(&world.root.join("other/mirrors/ET.git"), ["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\n");
}

#[tokio::test]
async fn a_bundle_that_was_cut_short_is_refused() {
    let world = World::synced().await;
    let bundle = world.root.join("ET.bundle");
    assert!(world.git.pack_mirror(&world.project.key, &bundle).await.unwrap());
    let bytes = std::fs::read(&bundle).unwrap();
    std::fs::write(&bundle, &bytes[..bytes.len() - 30]).unwrap();
    let other = MirrorGit::new(options(&world.root.join("other")));
    let refused = other.unpack_mirror(&world.project.key, &bundle).await;
    assert!(matches!(refused, Err(GitError::Command { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_mirror_is_asked_which_commits_it_lacks() {
    let world = World::synced().await;
    let there = world.change("a", "a").await;
    let gone = CommitSha::new("0123456789abcdef0123456789abcdef01234567").unwrap();
    let tree = world.git.load_tree(&world.project, &there).await.unwrap();
    let tree = CommitSha::new(tree.as_str()).unwrap();
    let asked = [gone.clone(), there, tree.clone()];
    let missing = world.git.list_missing(&world.project.key, &asked).await.unwrap();
    assert_eq!(missing, [gone, tree], "a tree is no commit");
    assert_eq!(world.git.list_missing(&world.project.key, &[]).await.unwrap(), []);
}
