//! Agents that do not end by themselves, and what they leave running.

use crate::world::World;

#[test]
fn an_agent_that_hangs_in_silence_is_stopped_at_its_stall_limit() {
    let world = World::of_agent_with("sleep 1000", "stall_limit = \"300ms\"");
    let told = world.deliver();
    told.assert_blocked("agent `it` said nothing for 0.3 s and was stopped; raise stall_limit");
    world.assert_untouched();
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn an_agent_that_never_stops_talking_is_stopped_at_its_time_limit() {
    let world =
        World::of_agent_with("while :; do echo busy; sleep 0.05; done", "time_limit = \"400ms\"");
    let told = world.deliver();
    told.assert_blocked("agent `it` was stopped at its time limit of 0.4 s");
    world.assert_untouched();
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

/// The home is kept between the tries, so that the second one is better behaved.
#[test]
fn an_agent_that_ignores_sigterm_is_killed_with_its_children() {
    let world = World::of_agent_with(
        "if [ -e ~/tried ]; then echo new > new.txt; exit; fi
         touch ~/tried; trap '' TERM; sleep 1000 & while :; do sleep 1000; done",
        "stall_limit = \"300ms\"",
    );
    let told = world.deliver();
    world.assert_merged(&told);
    assert_eq!(world.briefs().len(), 2);
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn a_daemon_does_not_outlive_its_agent() {
    let world = World::of_agent("setsid nohup sleep 1000 >/dev/null 2>&1 & echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn a_daemon_of_the_backend_without_a_wall_does_not_either() {
    let world = World::new();
    let script =
        "setsid nohup sleep 1000 >/dev/null 2>&1 & (trap '' TERM; sleep 1000) & echo new > new.txt";
    world.gatewright.configure_agent_with(script, "", "sandbox.backend = \"process\"");
    let told = world.deliver();
    world.assert_merged(&told);
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}
