//! What is left of a destination's command when those who wait for it are killed.

use std::{
    fs,
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use camino::Utf8PathBuf;
use testkit::gatewright::Running;

use crate::{
    outbox::{command, have_it_tried_again, tell, with_waiting_letters},
    world::World,
};

/// Far more than any end takes, and less than the time that a command has: a test whose process stays fails here.
const LIMIT: Duration = Duration::from_secs(20);

/// A pipe that a script holds with `exec 3> PATH`, and whatever it starts with it.
struct Life {
    path: Utf8PathBuf,
    over: Receiver<()>,
}

impl Life {
    fn new(world: &World) -> Self {
        let path = world.gatewright.home().join("life");
        let made = Command::new("mkfifo").arg(&path).status().expect("there is mkfifo");
        assert!(made.success(), "mkfifo {path}: {made}");
        let (tell, over) = mpsc::channel();
        let pipe = path.clone();
        thread::spawn(move || {
            fs::read(pipe).expect("a pipe can be read");
            // The test may have failed.
            tell.send(()).ok();
        });
        Self { path, over }
    }

    /// Waits until nobody is left who holds it.
    fn wait_for_its_end(&self) {
        self.over.recv_timeout(LIMIT).expect("whoever holds it ends");
    }
}

/// Begins the delivery of a letter to a command that hangs. It says `tell_of` when it is at work.
fn begin_to_deliver(world: &World, life: &Life, tell_of: &str) -> (Running, String) {
    with_waiting_letters(world);
    let begun = world.gatewright.bell("begun");
    let script = format!(
        "exec 3> {}; setsid sleep 1000 & echo {tell_of} > {}; sleep 1000",
        life.path,
        begun.path()
    );
    tell(world, "log", &command(&script));
    have_it_tried_again(world);
    let delivering = world.gatewright.start(world.dir(), &["outbox", "deliver"]);
    let told = begun.listen().next();
    (delivering, told)
}

fn kill(signal: &str, pid: &str) {
    let killed = Command::new("kill").args([signal, pid]).status().expect("there is kill");
    assert!(killed.success(), "kill {signal} {pid}: {killed}");
}

#[test]
fn a_command_and_all_that_it_started_end_with_an_orchestrator_that_is_killed() {
    let world = World::new();
    let life = Life::new(&world);
    let (delivering, _) = begin_to_deliver(&world, &life, "begun");
    delivering.signal("KILL");
    assert_eq!(delivering.finish().code(), None);
    life.wait_for_its_end();
}

/// Also a command that nobody attends to any more is not left beside the next try of its letter.
#[test]
fn what_is_left_where_the_usher_was_killed_as_well_ends_before_the_next_try() {
    let world = World::new();
    let life = Life::new(&world);
    let (delivering, pids) = begin_to_deliver(&world, &life, "$PPID $$");
    let (usher, first) = pids.split_once(' ').expect("two numbers");
    // It would end the command as soon as the orchestrator is gone.
    kill("-STOP", usher);
    delivering.signal("KILL");
    assert_eq!(delivering.finish().code(), None);
    kill("-KILL", usher);
    let is_left = format!("grep -q . /proc/{first}/cmdline");
    let left = Command::new("sh").args(["-c", &is_left]).status().expect("there is a shell");
    assert!(left.success(), "nobody has ended it");

    tell(&world, "log", &command(&format!("if {is_left}; then exit 67; fi")));
    let told = world.call(&["outbox", "deliver"]);
    assert_eq!(told.code(), Some(0), "{told:#?}");
    life.wait_for_its_end();
}
