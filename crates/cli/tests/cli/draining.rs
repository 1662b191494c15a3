//! SIGTERM while something hangs: this process goes, and nothing is lost.

use std::{fs, os::unix::fs::PermissionsExt as _};

use testkit::gatewright::{Bell, Running};

use crate::world::{Told, World};

/// A search path on which the first git hangs in calls that say `call`, where the shell finds `when` to be so, and rings
/// once it does.
fn path_with_a_git_that_hangs_in(call: &str, when: &str, world: &World, hangs: &Bell) -> String {
    let path = std::env::var("PATH").unwrap();
    let git = path.split(':').map(|dir| format!("{dir}/git")).find(|it| fs::exists(it).unwrap());
    let (git, dir) = (git.unwrap(), world.gatewright.home().join("bin"));
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *{call}*) if {when}; then echo hangs > {}; exec sleep 1000; fi ;; esac\nexec {git} \"$@\"\n",
        hangs.path()
    );
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("git"), script).unwrap();
    fs::set_permissions(dir.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{dir}:{path}")
}

/// `operations.md` gives five seconds; a git call may take as many minutes.
#[test]
fn sigterm_does_not_wait_for_a_call_of_git_that_hangs() {
    let world = World::of_agent("echo new > new.txt");
    let hangs = world.gatewright.bell("hangs");
    let path = path_with_a_git_that_hangs_in("--ff-only", "true", &world, &hangs);
    let mut command =
        world.gatewright.command(world.dir(), &["run", "Add a file", "--merge", "--json"]);
    let running = Running::start(command.env("PATH", path));
    assert_eq!(hangs.listen().next(), "hangs");
    running.signal("TERM");
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("paused", Some(130)), "{told:#?}");
    world.assert_untouched();

    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
    assert_eq!(world.briefs().len(), 1);
}

/// All that a call does is one thing to whoever ends it: a signal that comes between two parts of it is not lost.
#[test]
fn a_signal_between_two_pieces_of_work_is_heard() {
    let (world, started, end) = World::of_waiting_agent();
    let killed = world.start();
    assert_eq!(started.listen().next(), "started");
    killed.kill();
    assert_eq!(killed.finish().code(), None);

    let (hangs, late) = (world.gatewright.bell("hangs"), world.gatewright.home().join("late"));
    let path =
        path_with_a_git_that_hangs_in("\" version\"", &format!("[ -e {late} ]"), &world, &hangs);
    let mut command = world.gatewright.command(world.dir(), &["run", "--resume", "all", "--json"]);
    let running = Running::start(command.env("PATH", path));
    running.wait_for("is still at work: taken up again");
    fs::write(&late, "").unwrap();
    end.ring();
    // The pipeline has ended, and what is to deliver letters is being put together.
    assert_eq!(hangs.listen().next(), "hangs");
    running.signal("TERM");
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("succeeded", Some(130)), "{told:#?}");
    assert!(told.stderr.contains("stopping: what has not begun waits"), "{told:#?}");
    assert!(!told.stderr.contains("takes too long"), "it ends by itself: {told:#?}");
}
