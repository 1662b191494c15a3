//! SIGTERM while the database hangs.

use chaos::FAILPOINT;

use crate::world::World;

/// A report that the store never answers keeps nobody: it is brought again by whoever takes over.
#[test]
fn sigterm_does_not_wait_for_a_store_that_never_answers() {
    let world = World::of_agent("echo new > new.txt");
    let running = world.begin(&[(FAILPOINT, "store.apply.before#4=hang")]);
    running.wait_for("starts from commit");
    running.signal("TERM");
    let finished = running.finish();
    assert_eq!(finished.code(), Some(130), "{finished:#?}");
    let finished = world.resume(&[]).finish();
    world.assert_delivered_once("after a drain", &finished);
}
