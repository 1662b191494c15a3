//! Several pipelines at once.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::{Told, World, assert_error};

fn each<'a>(results: &'a [Value], key: &str) -> Vec<&'a str> {
    results.iter().map(|it| it[key].as_str().unwrap_or_default()).collect()
}

#[test]
fn two_at_work_at_once_do_not_see_each_other() {
    let world = World::new();
    let (here, both_here) = (world.gatewright.bell("here"), world.gatewright.bell("both-here"));
    let script = format!(
        "echo mine > $GATEWRIGHT_ITEM.txt; echo here > {}; read now < {}
         {{ ls -a; ls -aR .. ../.. {}; }} > $GATEWRIGHT_ITEM.seen 2>/dev/null; true",
        here.path(),
        both_here.path(),
        world.gatewright.data_dir()
    );
    world.gatewright.configure_agent_with(&script, "", "limits.max_concurrency = 2");
    let running =
        world.gatewright.start(world.dir(), &["run", "One file", "Another file", "--json"]);
    let here = here.listen();
    assert_eq!([here.next(), here.next()], ["here", "here"]);
    both_here.ring();
    both_here.ring();
    let finished = running.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");

    let results = finished.json_lines();
    let (items, pipelines) = (each(&results, "item"), each(&results, "pipeline"));
    assert_eq!(items, ["IT-001", "IT-002"]);
    for (index, branch) in each(&results, "branch").iter().enumerate() {
        let (mine, other) = (items[index], items[1 - index]);
        let files = world.repository.git(&["ls-tree", "--name-only", branch]);
        assert!(files.contains(&format!("{mine}.txt")) && !files.contains(other), "{files}");
        let seen = world.repository.show(&format!("{branch}:{mine}.seen"));
        assert!(seen.contains(&format!("{mine}.txt")) && seen.contains(pipelines[index]), "{seen}");
        assert!(!seen.contains(other) && !seen.contains(pipelines[1 - index]), "{seen}");
    }
}

#[test]
fn twenty_at_once_all_end_well_and_never_more_than_two_agents_work() {
    let world = World::new();
    let bell = world.gatewright.bell("bell");
    let path = bell.path();
    let script = format!(
        "echo start > {path}; echo $GATEWRIGHT_ITEM > $GATEWRIGHT_ITEM.txt; git add .; git commit -qm work; echo end > {path}"
    );
    world.gatewright.configure_agent_with(&script, "", "limits.max_concurrency = 2");
    let titles: Vec<String> = (1..=20).map(|number| format!("Add file {number}")).collect();
    let mut arguments = vec!["run", "--merge", "--json"];
    arguments.extend(titles.iter().map(String::as_str));
    let finished = world.call(&arguments);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");

    let results = finished.json_lines();
    assert_eq!(results.len(), 20);
    assert!(results.iter().all(|it| it["status"] == "succeeded"), "{results:#?}");
    let items: BTreeSet<&str> = each(&results, "item").into_iter().collect();
    let files = world.repository.git(&["ls-tree", "--name-only", "main"]);
    assert_eq!(items.len(), 20);
    assert!(items.iter().all(|item| files.contains(item)), "{files}");

    let (mut at_work, mut most) = (0, 0);
    for word in bell.listen().first(40) {
        at_work = if word == "start" { at_work + 1 } else { at_work - 1 };
        most = most.max(at_work);
    }
    assert!((at_work, most) == (0, 1) || (at_work, most) == (0, 2), "{most} agents at once");
}

/// One that is stopped ends neither by itself nor by Ctrl-C: it is named as what it is.
#[test]
fn a_holder_of_the_data_directory_that_is_stopped_is_named_as_stopped() {
    let (world, started, end) = World::of_waiting_agent();
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("STOP");
    let refused = world.call(&["pipeline", "pause", "IT-001"]);
    assert_error(&refused, 1, "is in use by pid ", "is stopped");
    assert!(refused.stderr.contains("`kill -CONT "), "{refused:#?}");
    let queue = world.call(&["queue"]);
    assert!(queue.stdout.contains("which is stopped: `kill -CONT "), "{queue:#?}");
    let holder = world.call(&["queue", "--json"]).json()["holder"].clone();
    assert_eq!(
        (&holder["state"], &holder["command"]),
        (&"stopped".into(), &"gatewright run".into())
    );
    let follow = world.gatewright.start(world.dir(), &["logs", "IT-001", "--follow"]);
    let told = follow.wait_for("nobody is at work on IT-001: pid ");
    assert!(told.contains("is stopped: `kill -CONT ") && !told.contains("--resume"), "{told}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("since 2") && why.contains("is stopped: `kill -CONT "), "{why}");
    assert!(why.contains("running (nobody at work)") && why.contains(" was begun ("), "{why}");
    assert!(!why.contains("is at work"), "{why}");
    let asked =
        [["pipeline", "list", "--json"].as_slice(), &["pipeline", "show", "IT-001", "--json"]];
    let whys = ["pipeline", "show", "IT-001", "--why", "--json"];
    for arguments in asked.into_iter().chain([whys.as_slice()]) {
        let told = world.call(arguments);
        assert!(told.stdout.contains("\"at_work\": false"), "{arguments:?}: {told:#?}");
    }
    running.signal("CONT");
    end.ring();
    let told = Told::of(&running.finish());
    world.assert_merged(&told);
    assert_eq!(follow.finish().code(), Some(0));
}
