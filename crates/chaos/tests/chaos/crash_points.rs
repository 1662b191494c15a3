//! The crash-point matrix with real processes: the process dies at a named point, another one takes over, and the end is
//! the same: one merge, one launch, no retry spent.
//!
//! Each row of the matrix is a test. What needs no process - two reapers, two nodes, every commit of every history - is
//! swept by the engine's stories and the simulation.

use chaos::{CLOCK, FAILPOINT};
use domain::{limits::JOB_LOST_MAX, pipeline::PipelineStateTag};
use testkit::gatewright::Bell;

use crate::world::World;

fn abort(point: &str) -> String {
    format!("{point}=abort")
}

/// For each point a story of its own: die there, go on, be done.
fn the_end_is_the_same_after(points: &[&str]) {
    for point in points {
        let world = World::of_agent("echo new > new.txt");
        let died = world.begin(&[(FAILPOINT, &abort(point))]).finish();
        assert_eq!(died.code(), None, "{point} was not reached: {died:#?}");
        let finished = world.resume(&[]).finish();
        world.assert_delivered_once(point, &finished);
    }
}

/// Row `claim`: before, the job is still ready; after, the lease is held by nobody and is released at the restart (F4).
#[test]
fn a_claim() {
    the_end_is_the_same_after(&[
        "store.claim.before",
        "store.claim.after",
        "store.claim.after#2",
        "store.claim.after#4",
    ]);
}

/// Rows `enqueue next job + state` and `complete`: the step is written or it is not, and its input counts once (F19).
#[test]
fn a_step() {
    the_end_is_the_same_after(&[
        "store.apply.before",
        "store.apply.after",
        "store.apply.before#2",
        "store.apply.after#2",
        "store.apply.before#4",
        "store.apply.after#4",
    ]);
}

/// Row `agent_runs insert`: without the record nothing is launched, with it exactly that run is.
#[test]
fn the_record_of_a_run() {
    the_end_is_the_same_after(&["store.save_run.before", "store.save_run.after"]);
}

/// Row `claim`, last column, and between launch and acknowledgement: the agent is there although nobody was told.
#[test]
fn the_launch_of_an_agent() {
    the_end_is_the_same_after(&["agent.launch.before", "agent.launch.after"]);
}

/// Between an agent's exit and its finalisation: the work is taken over once, wherever that is cut short.
#[test]
fn the_end_of_an_agent() {
    the_end_is_the_same_after(&[
        "sandbox.launch.before#2",
        "sandbox.launch.after#2",
        "git.collect.before",
        "git.collect.after",
    ]);
}

/// Between an outside effect and its mark: the target has moved and nobody has written it down, or the other way round.
#[test]
fn a_landing() {
    the_end_is_the_same_after(&[
        "git.integrate.before",
        "git.integrate.after",
        "git.land.before",
        "git.land.after",
    ]);
}

/// It dies over its landing until a person is asked, who gives up: that the target has moved is seen nowhere else.
#[test]
fn who_cancels_a_landing_that_was_given_up_is_told_to_look_at_the_target() {
    let world = World::of_agent("echo new > new.txt");
    let point = abort("git.land.after");
    let mut ended = world.begin(&[(FAILPOINT, &point)]).finish();
    for _ in 0..=JOB_LOST_MAX {
        if ended.code().is_none() {
            ended = world.resume(&[(FAILPOINT, &point)]).finish();
        }
    }
    assert_eq!(ended.code(), Some(3), "{ended:#?}");
    let cancel = ["pipeline", "cancel", "IT-001", "--reason", "enough", "--json"];
    let cancelled = world.start(&cancel, &[]).finish();
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    let view = cancelled.json();
    assert_eq!(
        (&view["status"], &view["may_be_merged_into"]),
        (&"cancelled".into(), &"main".into())
    );
    let id = view["id"].as_str().unwrap();
    let advice = format!("`git log main --grep {id}`");
    assert!(cancelled.stderr.contains(&advice), "{advice}: {cancelled:#?}");
    let found = world.repository.git(&["log", "--format=%s", "main", "--grep", id]);
    assert_eq!(found, "Merge IT-001: Add a file", "what is advised shows it");
}

/// Everything is delivered, and what is left of the work is being removed: the next process ends that, and nothing before.
#[test]
fn a_clean_up() {
    for point in ["git.remove_workspace.before", "git.remove_workspace.after"] {
        let world = World::of_agent("echo new > new.txt");
        let died = world.begin(&[(FAILPOINT, &abort(point))]).finish();
        assert_eq!(died.code(), None, "{point} was not reached: {died:#?}");
        let named = "nobody cleans up behind what has ended: IT-001";
        let doctor = world.start(&["doctor", "--json"], &[]).finish();
        assert!(doctor.stdout.contains(named), "{point}: {doctor:#?}");
        let finished = world.resume(&[]).finish();
        world.assert_delivered_once(point, &finished);
        let workspaces = world.gatewright.data_dir().join("workspaces");
        assert_eq!(workspaces.read_dir().map_or(0, Iterator::count), 0, "{point}");
        let doctor = world.start(&["doctor", "--json"], &[]).finish();
        assert!(!doctor.stdout.contains(named), "{point}: {doctor:#?}");
    }
}

/// It dies each time over what an agent left that nobody waits for, until nobody tries unasked: what is advised then keeps it.
#[test]
fn what_an_agent_left_and_nobody_keeps_unasked_is_kept_by_what_is_advised() {
    let gatewright = testkit::gatewright::Gatewright::new(crate::world::PROGRAM);
    let world = World::with(gatewright, |_| "echo half > new.txt; sleep 600".to_owned());
    let running = world.begin(&[]);
    drop(world.next_launch());
    running.kill();
    drop(running.finish());
    let point = abort("git.collect.before");
    let mut died = world.start(&["pipeline", "cancel", "IT-001"], &[(FAILPOINT, &point)]).finish();
    for time in 1..=JOB_LOST_MAX {
        assert_eq!(died.code(), None, "{time}: {died:#?}");
        died = world.resume(&[(FAILPOINT, &point)]).finish();
    }
    assert_eq!(died.code(), None, "{died:#?}");

    let advice = "run --resume IT-001 tries once more, before it is removed";
    let doctor = world.start(&["doctor", "--json"], &[]).finish();
    let found = "for IT-001 that was not kept: trying to has ended the process time and again";
    assert!(doctor.stdout.contains(found) && doctor.stdout.contains(advice), "{doctor:#?}");
    let left = world.resume(&[(FAILPOINT, &point)]).finish();
    assert!(left.stderr.contains(advice), "it does not try, and says who does: {left:#?}");
    let kept = world.start(&["run", "--resume", "IT-001"], &[]).finish();
    assert!(kept.code().is_some() && !kept.stderr.contains("warning"), "{kept:#?}");
    let doctor = world.start(&["doctor", "--json"], &[]).finish();
    assert!(!doctor.stdout.contains("was not kept"), "{doctor:#?}");
}

/// The same for a branch that is left in the people's repository.
#[test]
fn a_publication() {
    for point in ["git.publish.before", "git.publish.after"] {
        let world = World::of_agent("echo new > new.txt");
        let died = world.start(&["run", "Add a file"], &[(FAILPOINT, &abort(point))]).finish();
        assert_eq!(died.code(), None, "{point} was not reached: {died:#?}");
        let finished = world.resume(&[]).finish();
        assert_eq!(finished.code(), Some(0), "{point}: {finished:#?}");
        let branch = finished.json()["branch"].as_str().unwrap().to_owned();
        assert_eq!(world.repository.show(&format!("{branch}:new.txt")), "new\n", "{point}");
        assert_eq!(world.launched().len(), 1, "{point}");
        world.remembered().assert_nothing_was_charged(point);
    }
}

/// A world whose agent waits for a bell.
fn waiting() -> (World, Bell) {
    let gatewright = testkit::gatewright::Gatewright::new(crate::world::PROGRAM);
    let end = gatewright.bell("end");
    let wait = format!("read now < {}; echo new > new.txt", end.path());
    (World::with(gatewright, |_| wait), end)
}

/// Row `heartbeat`: the lease is shorter or longer than the dead one believed, and nobody waits for its end (F14).
#[test]
fn a_heartbeat() {
    for point in ["store.heartbeat.before", "store.heartbeat.after"] {
        let (world, end) = waiting();
        let clock = world.gatewright.home().join("clock");
        std::fs::write(&clock, "0").unwrap();
        let running = world.begin(&[(FAILPOINT, &abort(point)), (CLOCK, clock.as_str())]);
        drop(world.next_launch());
        std::fs::write(&clock, "11").unwrap();
        assert_eq!(running.finish().code(), None, "{point}");
        let resumed = world.resume(&[]);
        resumed.wait_for("is still at work: taken up again");
        end.ring();
        let finished = resumed.finish();
        assert_eq!(world.launched(), Vec::<String>::new(), "{point}: launched again");
        assert_eq!(finished.code(), Some(0), "{point}: {finished:#?}");
        world.remembered().assert_nothing_was_charged(point);
    }
}

/// Row `reap`: what a dead process held is given back once, however often the one that gives it back dies (F5, F6).
#[test]
fn a_recovery() {
    for (point, deaths) in [("store.apply.before", 3), ("store.apply.after", 1)] {
        let (world, end) = waiting();
        let running = world.begin(&[]);
        drop(world.next_launch());
        running.kill();
        drop(running.finish());
        for _ in 0..deaths {
            let died = world.resume(&[(FAILPOINT, &abort(point))]).finish();
            assert_eq!(died.code(), None, "{point} was not reached: {died:#?}");
        }
        end.ring();
        let finished = world.resume(&[]).finish();
        assert_eq!(finished.code(), Some(0), "{point}: {finished:#?}");
        assert_eq!(world.launched(), Vec::<String>::new(), "{point}: launched again");
        world.remembered().assert_nothing_was_charged(point);
    }
}

const TIMED: &str = r#"name = "timed"

[limits]
wall_time = "1h"

[[stage]]
name = "develop"
roles = ["solo"]
on_pass = "finish"

[[stage]]
name = "finish"
action = "deliver"
"#;

/// Row `timer fire`: it fires later, or has fired once; an hour that passed while nobody was there has passed.
#[test]
fn a_timer() {
    // The first step of a new process gives back what the dead one held, the second one is the timer's.
    for point in ["store.apply.before#2", "store.apply.after#2"] {
        let (world, _end) = waiting();
        world.repository.file(".gatewright/pipelines/timed.toml", TIMED);
        world.repository.commit("define a pipeline");
        let clock = world.gatewright.home().join("clock");
        std::fs::write(&clock, "0").unwrap();
        let clocked = (CLOCK, clock.as_str());
        let arguments = ["run", "Add a file", "--pipeline", "timed", "--json"];
        let running = world.start(&arguments, &[clocked]);
        drop(world.next_launch());
        running.kill();
        drop(running.finish());
        std::fs::write(&clock, "7200").unwrap();
        let died = world.resume(&[clocked, (FAILPOINT, &abort(point))]).finish();
        assert_eq!(died.code(), None, "{point} was not reached: {died:#?}");
        let finished = world.resume(&[clocked]).finish();
        let states = world.remembered().states();
        assert_eq!(states, [PipelineStateTag::Blocked], "{point}: {finished:#?}");
        let asked = world.start(&["decisions", "--json"], &[clocked]).finish();
        assert_eq!(asked.json().as_array().unwrap().len(), 1, "{point}: {asked:#?}");
    }
}
