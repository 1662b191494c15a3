//! `logs --follow`: it ends where nothing can come any more, and says so where nobody is at work.

use std::fs::{self, File};

use crate::world::World;

/// A process that holds the data directory and calls itself so, until what this returns is dropped.
fn holder(world: &World, name: &str) -> File {
    let path = world.gatewright.data_dir().join("lock");
    fs::write(&path, name).unwrap();
    let lock = File::open(&path).unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn whoever_follows_what_nobody_works_on_is_told_the_command_that_goes_on() {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo first; echo started > {}; read now < {}; echo new > new.txt; echo last",
        started.path(),
        end.path()
    ));
    let started = started.listen();
    let running = world.start();
    assert_eq!(started.next(), "started");
    let attended = world.gatewright.start(world.dir(), &["logs", "IT-001", "--follow"]);
    running.signal("KILL");
    running.finish();
    let told = attended.wait_for("nobody is at work on IT-001: ");
    assert!(told.contains("run --resume IT-001` goes on"), "{told}");

    // The agent lives on, and what it prints is shown; whoever takes it up records its end.
    let shown = world.call(&["logs", "IT-001"]);
    assert!(shown.stderr.contains("its end is not recorded"), "{shown:#?}");
    end.ring();
    world.gatewright.wait_for_sandboxes();
    let shown = world.call(&["logs", "IT-001"]);
    let words = "its agent has ended, and what it left is not taken up yet: `";
    assert!(shown.stderr.contains(words), "{shown:#?}");
    let resumed = world.resume().finish();
    assert!(resumed.code().is_some(), "{resumed:#?}");
    let followed = attended.finish();
    assert_eq!(followed.code(), Some(0), "{followed:#?}");
    assert_eq!(followed.stdout.lines().collect::<Vec<_>>(), ["first", "last"], "{followed:#?}");
    assert_eq!(followed.stderr.matches("nobody is at work").count(), 1, "{followed:#?}");
}

#[test]
fn following_ends_with_a_pipeline_that_is_given_up() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("KILL");
    running.finish();
    let following = world.gatewright.start(world.dir(), &["logs", "IT-001", "--follow"]);
    following.wait_for("nobody is at work on IT-001: ");
    let cancelled = world.call(&["pipeline", "cancel", "IT-001"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    let followed = following.finish();
    assert_eq!(followed.code(), Some(0), "{followed:#?}");
}

/// What was killed before its first agent has nothing to show: whoever follows it waits, and is told how it goes on.
#[test]
fn following_waits_for_the_first_agent_and_says_what_moves_the_pipeline() {
    let world = World::of_agent(
        "echo '{\"type\":\"rate_limited\",\"until\":\"2099-01-01T15:00:00Z\"}'; exit 1",
    );
    let running = world.start();
    running.wait_for("agents of command@it wait until");
    running.signal("INT");
    running.finish();
    // Its run has ended, and it has not.
    let followed = world.call(&["logs", "IT-001", "--follow"]);
    assert_eq!(followed.code(), Some(0), "{followed:#?}");
    let words = "IT-001 has not ended; what moves it:";
    assert!(followed.stderr.contains(words), "{followed:#?}");
    assert!(followed.stderr.contains("run --resume IT-001 (interrupted "), "{followed:#?}");

    let running = world.gatewright.start(world.dir(), &["run", "Add another file"]);
    running.wait_for("IT-002 waits until ");
    let following = world.gatewright.start(world.dir(), &["logs", "IT-002", "--follow"]);
    let told = following.wait_for("agents of command@it are not started");
    assert!(told.contains("agent solo waits: "), "{told}");
    running.signal("INT");
    running.finish();
    following.wait_for("run --resume IT-002 (interrupted ");
    let cancelled = world.call(&["pipeline", "cancel", "IT-002"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    let followed = following.finish();
    assert_eq!(followed.code(), Some(1), "{followed:#?}");
    assert!(followed.stderr.contains("no agent has run for IT-002 yet; what moves it:"));
    assert!(followed.stderr.contains("IT-002 has ended, and no agent has run for it"));
}

/// Whoever stops an agent holds the data directory for as long as that takes, and what nobody works on stays so.
#[test]
fn a_process_that_only_stops_an_agent_is_not_said_to_be_at_work() {
    let (world, started, _end) = World::of_waiting_agent();
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("KILL");
    running.finish();
    let name = "pid 1, `gatewright pipeline cancel`, since 2026-01-01T00:00:00Z";
    let lock = holder(&world, name);

    let following = world.gatewright.start(world.dir(), &["logs", "IT-001", "--follow"]);
    let told = following.wait_for("nobody is at work on IT-001: ");
    let words = format!("goes on once {name} has ended, which it does by itself");
    assert!(told.contains(&words), "{told}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(
        why.contains("no process is at work: ") && why.contains(&words["goes on ".len()..]),
        "{why}"
    );
    assert!(world.call(&["pipeline", "list"]).stdout.contains("nobody at work"));
    let holder = world.call(&["queue", "--json"]).json()["holder"].clone();
    assert_eq!(
        (&holder["pid"], &holder["command"]),
        (&1.into(), &"gatewright pipeline cancel".into())
    );

    drop(lock);
    following.wait_for("run --resume IT-001` goes on; ");
    let cancelled = world.call(&["pipeline", "cancel", "IT-001"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    assert_eq!(following.finish().code(), Some(0));
}
