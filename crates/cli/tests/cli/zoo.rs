//! Agents that misbehave, and the verdict that is written down for each in its scenario.

use serde_json::Value;

use crate::world::{Told, World};

/// A world whose agent plays a scenario.
fn world_of(scenario: &str, more: &str) -> World {
    let world = World::new();
    world.gatewright.configure(&format!(
        "agent = \"it\"\nkey = \"IT\"\ngates.tests.run = \"tests/run.sh\"\n\n\
         [agents.it]\nkind = \"scripted\"\nargs = [\"{scenario}\"]\n{more}\n"
    ));
    world
}

/// Lessons, 9: the loop that nobody saw for 94 min.
#[test]
fn a_loop_over_the_same_tool_call_is_stopped_and_the_next_try_is_told() {
    let world = world_of("repeats-tool", "");
    let told = world.deliver();
    told.assert_blocked("agent `it` went round in circles and was stopped");
    told.assert_blocked("were `read README.md`; repeat_limit in [agents.it]");
    let briefs = world.briefs();
    assert_eq!(briefs.len(), 2);
    assert!(!briefs[0].contains("Your last try was stopped"));
    assert!(briefs[1].contains("Your last try was stopped: agent `it` went round in circles"));
    world.assert_untouched();
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn a_loop_that_is_allowed_ends_with_the_time() {
    let world = world_of("repeats-tool", "repeat_limit = 0\ntime_limit = \"600ms\"");
    world.deliver().assert_blocked("was stopped at its time limit of 0.6 s");
}

#[test]
fn the_same_error_again_and_again_is_stopped() {
    let world = world_of("repeats-error", "");
    let told = world.deliver();
    told.assert_blocked("met the same error 15 times in a row and was stopped: `shell false`");
    world.assert_untouched();
}

#[test]
fn a_question_that_does_not_end_is_asked_three_times() {
    let world = world_of("asks-again", "");
    let description = "The greeting should have a colour of its own, so that people see it.";
    let mut told = world.deliver_with(&["--pipeline", "delivery", "--description", description]);
    for _ in 0..3 {
        assert_eq!(told.outcome(), ("awaiting_human", Some(3)), "{told:#?}");
        let answer = ["decisions", "resolve", "IT-001", "--choice", "answer", "--comment", "blue"];
        assert_eq!(world.call(&answer).code(), Some(0));
        told = Told::of(&world.resume().finish());
    }
    told.assert_blocked("its agent asks more often than people are asked");
    let asked = world.call(&["decisions", "list", "--all", "--json"]).json();
    let kinds: Vec<&str> = asked.as_array().unwrap().iter().filter_map(kind).collect();
    assert_eq!(kinds, ["question", "question", "question", "escalation"]);
    world.assert_untouched();
}

fn kind(decision: &Value) -> Option<&str> {
    decision["kind"].as_str()
}

#[test]
fn who_answers_for_another_role_is_refused() {
    let mut world = world_of("answers-for-another", "");
    world.define("kept", "paths = { deny = [\"docs/work-items/{item}/12-review.md\"] }");
    let told = world.deliver_with(&["--pipeline", "kept"]);
    told.assert_blocked("role `solo` handed in too often what cannot be taken");
    told.assert_blocked("12-review.md");
    world.assert_untouched();
}

#[test]
fn programs_that_start_programs_do_not_outlive_their_agent() {
    let world = world_of("forks", "stall_limit = \"500ms\"");
    world.deliver().assert_blocked("said nothing for 0.5 s and was stopped");
    world.assert_untouched();
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn a_file_that_fills_the_disk_is_not_handed_in() {
    let world = world_of("fills-disk", "");
    let told = world.deliver();
    told.assert_blocked("role `solo` handed in too often what cannot be taken");
    told.assert_blocked("filler.bin");
    world.assert_untouched();
}
