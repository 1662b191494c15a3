//! `pipeline show --why`: where a pipeline is, and what will move it. What is said is what is true.

use serde_json::Value;

use crate::world::World;

fn explained(world: &World) -> Value {
    let told = world.call(&["pipeline", "show", "IT-001", "--why", "--json"]);
    assert_eq!(told.code(), Some(0), "{told:#?}");
    let same = world.call(&["doctor", "--explain", "IT-001", "--json"]);
    assert_eq!(same.json()["because"], told.json()["because"]);
    told.json()
}

fn listed(world: &World) -> String {
    let listed = world.call(&["pipeline", "list"]);
    assert_eq!(listed.code(), Some(0), "{listed:#?}");
    listed.stdout
}

#[test]
fn after_kill_9_nobody_is_said_to_be_at_work() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let started = started.listen();
    let running = world.start();
    assert_eq!(started.next(), "started");

    let alive = explained(&world);
    assert_eq!(alive["pipeline"]["at_work"], true, "{alive:#}");
    assert_eq!(alive["movers"][0]["mover"], "worker", "{alive:#}");
    assert_eq!(alive["movers"][0]["work"], "agent:solo");
    assert!(alive["movers"][0]["run"].as_str().is_some_and(|it| it.starts_with("run_")));
    assert!(alive["holder"].as_str().is_some_and(|it| it.contains("gatewright")), "{alive:#}");
    assert!(!listed(&world).contains("nobody at work"));

    running.signal("KILL");
    running.finish();
    let killed = explained(&world);
    assert_eq!(killed["pipeline"]["at_work"], false, "{killed:#}");
    assert_eq!(killed["holder"], Value::Null);
    assert!(listed(&world).contains("running (nobody at work)"), "{}", listed(&world));
    let shown = world.call(&["pipeline", "show", "IT-001"]).stdout;
    assert!(shown.contains("running (nobody at work)"), "{shown}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(
        why.contains("no process is at work: ") && why.contains("run --resume IT-001"),
        "{why}"
    );
    assert!(!why.contains("is at work (") && why.contains("which is gone"), "{why}");
    assert!(world.call(&["queue"]).stdout.contains("nobody is at work"));
}

#[test]
fn who_waits_for_a_person_is_told_the_question_and_the_command() {
    let world = World::of_agent("exit 3");
    world.deliver().assert_blocked("exited with code 3");
    let told = explained(&world);
    assert_eq!(told["movers"][0]["mover"], "answer", "{told:#}");
    assert_eq!(told["pipeline"].get("at_work"), None, "no process has to be there");
    let events: Vec<&str> =
        told["because"].as_array().unwrap().iter().filter_map(|it| it["event"].as_str()).collect();
    assert_eq!(events[..3], ["decision_opened", "blocked", "job_failed"], "{events:?}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("decisions resolve dec_") && why.contains("--choice retry"), "{why}");
}
