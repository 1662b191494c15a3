//! Putting a finished branch into the people's repository.

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::CommitSha;
use ports::{Git, GitError, Publication};
use testkit::git_conformance;

use crate::world::{BRANCH, World, branch, commit, run, sha};

async fn publish(
    world: &World,
    place: &Utf8Path,
    head: &CommitSha,
) -> Result<Publication, GitError> {
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
        for (head, what, now) in [
            (&first, "created", &first),
            (&first, "the same", &first),
            (&second, "moved forward", &second),
            (&first, "it has gone on from there", &second),
        ] {
            let publication = publish(&world, &place, head).await.expect(what);
            assert_eq!(publication, Publication::Published, "{what}");
            assert_eq!(published(&dir), *now, "{what}");
        }
    }
}

/// Why it was refused.
fn reason(publication: Result<Publication, GitError>) -> String {
    match publication {
        Ok(Publication::Refused { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn somebody_elses_branch_of_that_name_is_not_overwritten() {
    let world = World::synced().await;
    let (ours, theirs) = (world.change("a", "a").await, world.change("b", "b").await);
    for (place, dir) in places(&world) {
        publish(&world, &place, &theirs).await.expect("created");
        let reason = reason(publish(&world, &place, &ours).await);
        for words in [BRANCH, theirs.short(), ours.short(), "rename or delete", "then retry"] {
            assert!(reason.contains(words), "{words}: {reason}");
        }
        assert_eq!(published(&dir), theirs);
        run(&dir, ["branch", "--move", BRANCH, "kept-aside"]);
        let publication = publish(&world, &place, &ours).await.expect("its name is free");
        assert_eq!(publication, Publication::Published);
        assert_eq!(published(&dir), ours);
    }
}

#[tokio::test]
async fn a_branch_that_somebody_has_checked_out_is_not_moved_under_them() {
    let world = World::synced().await;
    run(&world.people(), ["checkout", "--quiet", "-b", BRANCH]);
    let base = commit(&world.people(), "theirs");
    world.git.sync(&world.project).await.expect("synced");
    let ours = world.change_on(&base, "a", "a").await;
    let reason = reason(publish(&world, &world.people(), &ours).await);
    let words = format!("is checked out in {}", world.people());
    assert!(reason.contains(&words) && reason.contains("switch to another branch"), "{reason}");
    assert_eq!(published(&world.people()), base);
}

/// The same cases as the git of stories passes.
#[tokio::test]
async fn a_branch_is_published_where_nothing_is_lost() {
    let world = World::synced().await;
    for (place, _) in places(&world) {
        git_conformance::a_branch_is_published_where_nothing_is_lost(&world.git, &world.at(place))
            .await;
    }
}
