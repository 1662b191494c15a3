//! Signals while something hangs.

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

/// Nobody waits for a clean-up that takes its time, and that it is cut short is no loss: it goes back to the queue.
#[test]
fn a_signal_that_meets_a_clean_up_costs_it_nothing() {
    for signal in ["INT", "TERM"] {
        let world = World::of_agent("echo new > new.txt");
        let running = world.begin(&[(FAILPOINT, "git.remove_workspace.before=hang")]);
        running.wait_for("done: merged");
        running.signal(signal);
        let finished = running.finish();
        assert_eq!(finished.code(), Some(130), "{signal}: {finished:#?}");
        assert!(!finished.stderr.contains("takes too long"), "{signal}: {finished:#?}");
        world.remembered().assert_clean_up_waits_and_is_not_charged(signal);
        let finished = world.resume(&[]).finish();
        world.assert_delivered_once(signal, &finished);
        let workspaces = world.gatewright.data_dir().join("workspaces");
        assert_eq!(workspaces.read_dir().map_or(0, Iterator::count), 0, "{signal}");
    }
}
