//! `run --resume` with several pipelines, and with everything that was interrupted: what people type after a reboot.

use serde_json::Value;
use testkit::{gatewright::Bell, repository::Repository};

use crate::world::World;

/// A world whose agents wait to be told to end.
fn waiting() -> (World, testkit::gatewright::Rings, Bell) {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent_with(
        &format!(
            "echo $GATEWRIGHT_ITEM > {}; read now < {}; echo new > $GATEWRIGHT_ITEM.txt",
            started.path(),
            end.path()
        ),
        "",
        "limits.max_concurrency = 4",
    );
    (world, started.listen(), end)
}

/// Starts an item in a repository and kills the process once its agent works.
fn leave_behind(world: &World, repository: &Repository, started: &testkit::gatewright::Rings) {
    let running = world.gatewright.start(repository.path(), &["run", "Add a file", "--merge"]);
    let item = started.next();
    running.kill();
    assert_eq!(running.finish().code(), None, "{item}");
}

/// Items and what became of them, by item.
fn states(results: &[Value]) -> Vec<String> {
    let mut states: Vec<_> = results
        .iter()
        .map(|it| format!("{} {}", it["item"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect();
    states.sort();
    states
}

#[test]
fn everything_that_was_interrupted_goes_on_and_what_a_person_paused_does_not() {
    let (world, started, end) = waiting();
    let other = Repository::greet();
    for repository in [&world.repository, &other, &world.repository] {
        leave_behind(&world, repository, &started);
    }
    let paused = world.call(&["pipeline", "pause", "IT-002"]);
    assert_eq!(paused.code(), Some(0), "{paused:#?}");
    (0..3).for_each(|_| end.ring());
    let finished = world.call(&["run", "--resume", "all", "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let words = "IT-002 stays paused by tester: ";
    assert!(finished.stderr.contains(words), "{finished:#?}");
    assert!(finished.stderr.contains("run --resume IT-002 goes on"), "{finished:#?}");
    let results = finished.json_lines();
    assert_eq!(states(&results), ["IT-001 succeeded", "IT2-001 succeeded"]);
    assert_eq!(other.show("main:IT2-001.txt"), "new\n");
    assert_eq!(world.repository.show("main:IT-001.txt"), "new\n");
    let shown = world.call(&["pipeline", "show", "IT-002", "--json"]);
    assert!(shown.stdout.contains("\"paused\""), "{}", shown.stdout);
    // Each agent was launched once, although three processes were killed over them.
    assert_eq!(world.briefs().len(), 3);

    let again = world.call(&["run", "--resume", "all"]);
    assert_eq!(again.code(), Some(0), "{again:#?}");
    assert!(again.stderr.contains("nothing was interrupted"), "{again:#?}");
    let again = world.call(&["run", "--resume", "all", "--json"]);
    assert_eq!(again.json(), serde_json::json!([]), "{again:#?}");
}

/// A clean-up that nobody was there to do is work as well, though nothing was interrupted.
#[test]
fn what_was_cancelled_while_nobody_was_at_work_is_cleaned_up() {
    let (world, started, _end) = waiting();
    leave_behind(&world, &world.repository, &started);
    let cancelled = world.call(&["pipeline", "cancel", "IT-001", "--reason", "enough"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    let workspaces = || {
        let entries = world.gatewright.data_dir().join("workspaces").read_dir_utf8();
        entries.map_or(0, Iterator::count)
    };
    assert_eq!(workspaces(), 1, "whoever cancels does not clean up");
    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    assert!(resumed.stderr.contains("cleaned up behind a pipeline that had ended"), "{resumed:#?}");
    assert_eq!(workspaces(), 0);
    let again = world.call(&["run", "--resume", "all"]);
    assert!(!again.stderr.contains("cleaned up"), "{again:#?}");

    // What somebody has opened who was late, and is gone.
    let shown = world.call(&["pipeline", "show", "IT-001", "--json"]).json();
    let pipeline = shown["pipeline"]["id"].as_str().unwrap();
    let late = world.gatewright.data_dir().join("workspaces").join(pipeline);
    std::fs::create_dir_all(late.join("solo/repository")).unwrap();
    let doctor = world.call(&["doctor", "--json"]);
    let words = format!("{late} is left of IT-001");
    assert!(doctor.stdout.contains(&words), "{words}: {doctor:#?}");
    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    assert_eq!(workspaces(), 0);
    let doctor = world.call(&["doctor", "--json"]);
    assert!(!doctor.stdout.contains("is left of"), "{doctor:#?}");
}

#[test]
fn several_are_taken_up_side_by_side() {
    let (world, started, end) = waiting();
    for _ in 0..2 {
        leave_behind(&world, &world.repository, &started);
    }
    let resumed =
        world.gatewright.start(world.dir(), &["run", "--resume", "IT-002", "IT-001", "--json"]);
    resumed.wait_for("is still at work: taken up again");
    resumed.wait_for("is still at work: taken up again");
    end.ring();
    end.ring();
    let finished = resumed.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let results = finished.json_lines();
    assert_eq!(states(&results), ["IT-001 succeeded", "IT-002 succeeded"]);
}

#[test]
fn a_project_whose_repository_is_gone_does_not_keep_the_others() {
    let (world, started, end) = waiting();
    let gone = Repository::greet();
    for repository in [&gone, &world.repository] {
        leave_behind(&world, repository, &started);
    }
    std::fs::remove_dir_all(gone.path()).unwrap();
    end.ring();
    end.ring();
    let finished = world.call(&["run", "--resume", "all", "--json"]);
    assert_eq!(finished.code(), Some(1), "{finished:#?}");
    assert!(finished.stderr.contains("IT-001 cannot be resumed"), "{finished:#?}");
    assert_eq!(states(&finished.json_lines()), ["IT2-001 succeeded"]);
}
