//! Clocks that jump, and a process that stands still for longer than its leases.

use chaos::CLOCK;
use testkit::gatewright::Gatewright;

use crate::world::{PROGRAM, World};

/// F7: slow is not dead. A process that was stopped for longer than its lease goes on with its agent, and so does one
/// whose clock jumps by hours, forwards and back: one launch, one run, nothing charged.
#[test]
fn a_lease_that_ran_out_under_a_living_worker_costs_nothing() {
    let gatewright = Gatewright::new(PROGRAM);
    let end = gatewright.bell("end");
    let wait = format!("read now < {}; echo new > new.txt", end.path());
    let world = World::with(gatewright, |_| wait);
    let clock = world.gatewright.home().join("clock");
    std::fs::write(&clock, "0").unwrap();
    let running = world.begin(&[(CLOCK, clock.as_str())]);
    let run = world.next_launch();
    running.signal("STOP");
    std::fs::write(&clock, "70").unwrap();
    running.signal("CONT");
    for seconds in ["3600", "-3600", "0"] {
        std::fs::write(&clock, seconds).unwrap();
    }
    end.ring();
    let finished = running.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let remembered = world.remembered();
    assert_eq!(remembered.runs.iter().map(|it| it.id.to_string()).collect::<Vec<_>>(), [run]);
    assert_eq!(world.launched(), Vec::<String>::new());
    remembered.assert_nothing_was_charged("after a stop");
}
