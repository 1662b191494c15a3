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
    assert!(told.stderr.contains("stopping: nothing more is begun"), "{told:#?}");
    assert!(!told.stderr.contains("takes too long"), "it ends by itself: {told:#?}");
}

/// Before the first piece of work as well: while git is looked for, and while the repository is read.
#[test]
fn a_signal_while_work_is_taken_up_is_heard() {
    for call in ["\" version\"", "fetch"] {
        let (world, started, end) = World::of_waiting_agent();
        let killed = world.start();
        assert_eq!(started.listen().next(), "started");
        killed.kill();
        assert_eq!(killed.finish().code(), None);

        let hangs = world.gatewright.bell("hangs");
        let path = path_with_a_git_that_hangs_in(call, "true", &world, &hangs);
        let mut command = world.gatewright.command(world.dir(), &["run", "--resume", "all"]);
        let running = Running::start(command.env("PATH", path));
        assert_eq!(hangs.listen().next(), "hangs");
        running.signal("INT");
        let finished = running.finish();
        assert_eq!(finished.code(), Some(130), "{call}: {finished:#?}");
        assert_eq!(
            finished.stderr,
            "stopping: nothing more is begun
",
            "{call}"
        );
        world.assert_untouched();

        end.ring();
        let told = Told::of(&world.resume().finish());
        world.assert_merged(&told);
        assert_eq!(world.briefs().len(), 1, "{call}");
    }
}

/// Ends each of these calls by Ctrl-C while what an agent left is being kept, which hangs in all of them.
fn assert_not_counted(calls: &[&[&str]]) -> World {
    let world = World::new();
    let (started, hangs) = (world.gatewright.bell("started"), world.gatewright.bell("hangs"));
    let script = format!("echo half > work.txt; echo started > {}; sleep 1000", started.path());
    world.gatewright.configure_agent(&script);
    let killed = world.start();
    assert_eq!(started.listen().next(), "started");
    killed.kill();
    assert_eq!(killed.finish().code(), None);

    let path = path_with_a_git_that_hangs_in("index-pack", "true", &world, &hangs);
    let hangs = hangs.listen();
    for (time, call) in calls.iter().enumerate() {
        let mut command = world.gatewright.command(world.dir(), call);
        let running = Running::start(command.env("PATH", &path));
        assert_eq!(hangs.next(), "hangs", "it is tried the {time}th time, by {call:?}");
        running.signal("INT");
        let finished = running.finish();
        assert_eq!(finished.code(), Some(130), "{time}, {call:?}: {finished:#?}");
        assert!(finished.stderr.contains("stopping: nothing more is begun"), "{finished:#?}");
        assert!(!finished.stderr.contains("takes too long"), "{time}, {call:?}: {finished:#?}");
    }
    world
}

/// More often than what ends the process is tried.
#[test]
fn who_cannot_wait_until_something_is_kept_that_was_cancelled_loses_nothing() {
    let resume: &[&str] = &["run", "--resume", "all"];
    let cancel: &[&str] = &["pipeline", "cancel", "IT-001"];
    let world = assert_not_counted(&[cancel, resume, resume, resume, resume]);
    let finished = world.call(resume);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert!(finished.stderr.contains("cleaned up behind a pipeline"), "{finished:#?}");
}

#[test]
fn who_cannot_wait_until_work_is_taken_up_loses_nothing() {
    let restart: &[&str] = &["pipeline", "restart-stage", "IT-001", "develop"];
    let pause: &[&str] = &["pipeline", "pause", "IT-001"];
    let resume: &[&str] = &["run", "--resume", "IT-001"];
    let world = assert_not_counted(&[restart, pause, resume, pause, resume]);
    world.gatewright.configure_agent("echo new > new.txt");
    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
}
