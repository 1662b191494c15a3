//! Putting a finished branch into the people's repository.

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::CommitSha;
use ports::{Git, GitError};

use crate::world::{BRANCH, World, branch, commit, run, sha};

async fn publish(world: &World, place: &Utf8Path, head: &CommitSha) -> Result<(), GitError> {
    world.git.publish(&world.at(place), &branch(BRANCH), head).await
}

fn published(place: &Utf8Path) -> CommitSha {
    sha(&run(place, ["rev-parse", &format!("refs/heads/{BRANCH}")]))
}

/// A bare repository by path, and the same one by URL; each with its directory.
fn places(world: &World) -> [(Utf8PathBuf, Utf8PathBuf); 2] {
    let bare = world.bare();
    let other = world.root.join("other.git");
    run(&world.root, ["clone", "--quiet", "--bare", "people", "other.git"]);
    [(bare.clone(), bare), (format!("file://{other}").into(), other)]
}

#[tokio::test]
async fn a_branch_is_created_and_moved_forward_and_publishing_again_is_fine() {
    let world = World::synced().await;
    let first = world.change("a", "a").await;
    let second = world.change_on(&first, "b", "b").await;
    for (place, dir) in places(&world) {
        publish(&world, &place, &first).await.expect("created");
        publish(&world, &place, &first).await.expect("the same");
        assert_eq!(published(&dir), first);
        publish(&world, &place, &second).await.expect("moved forward");
        assert_eq!(published(&dir), second);
    }
}

#[tokio::test]
async fn somebody_elses_branch_of_that_name_is_not_overwritten() {
    let world = World::synced().await;
    let (ours, theirs) = (world.change("a", "a").await, world.change("b", "b").await);
    for (place, dir) in places(&world) {
        publish(&world, &place, &theirs).await.expect("created");
        let error = publish(&world, &place, &ours).await.expect_err("taken");
        assert!(
            matches!(&error, GitError::Moved { found, .. } if *found == theirs.to_string()),
            "{error:?}"
        );
        assert_eq!(published(&dir), theirs);
    }
}

#[tokio::test]
async fn a_branch_that_somebody_has_checked_out_is_not_moved_under_them() {
    let world = World::synced().await;
    run(&world.people(), ["checkout", "--quiet", "-b", BRANCH]);
    let base = commit(&world.people(), "theirs");
    world.git.sync(&world.project).await.expect("synced");
    let ours = world.change_on(&base, "a", "a").await;
    let error = publish(&world, &world.people(), &ours).await.expect_err("checked out");
    assert!(matches!(error, GitError::Moved { .. }), "{error:?}");
    assert_eq!(published(&world.people()), base);
}
