//! Agents that wait for their provider, as a person sees it.

use crate::world::{Told, World};

/// Refused until somebody sees to the login: no retry is burnt, every view says why, and the work goes on afterwards.
#[test]
fn an_agent_whose_login_is_refused_waits_for_a_person_and_goes_on() {
    let world = World::of_agent(
        "if [ -e ~/logged-in ]; then echo new > new.txt; exit; fi
         touch ~/logged-in; echo '{\"type\":\"retrying\",\"status\":401,\"attempt\":1}'; exit 1",
    );
    let told = world.deliver();
    assert_eq!(told.outcome(), ("running", Some(3)), "{told:#?}");
    assert!(told.text("reason").contains("answered 401"), "{told:#?}");
    assert_eq!(told.text("waits_for"), "command@it");
    world.assert_untouched();

    let queue = world.call(&["queue", "--json"]).json();
    assert_eq!(queue["breakers"][0]["breaker"], "command@it", "{queue:#}");
    assert_eq!(queue["breakers"][0]["reason"], "credentials");
    assert_eq!(queue["queued"][0]["waits_for"], "command@it");
    assert_eq!(queue["queued"][0]["failures"], 0);
    assert_eq!(queue["next_due"], serde_json::Value::Null, "nothing but a person moves it");
    let listed = world.call(&["pipeline", "list"]).stdout;
    assert!(listed.contains("running (waits for a log-in of command@it)"), "{listed}");
    let shown = world.call(&["pipeline", "show", "IT-001", "--json"]).json();
    assert_eq!(shown["pipeline"]["waits_for"], "command@it", "{shown:#}");
    let logs = world.call(&["logs", "IT-001"]).stdout;
    assert!(logs.contains("the provider does not know us (401): try 1"), "{logs}");
    let agents = world.call(&["agents", "list"]);
    assert!(agents.stdout.contains("paused"), "{agents:#?}");
    let doctor = world.call(&["doctor"]);
    assert!(doctor.stdout.contains("agents of command@it"), "{doctor:#?}");
    assert_eq!(doctor.code(), Some(1), "the one agent that works here cannot: {doctor:#?}");
    assert!(!doctor.stderr.contains("ready to work"), "{doctor:#?}");

    let resumed = world.call(&["agents", "resume", "command@it"]);
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    let again = world.resume().finish();
    assert_eq!(again.code(), Some(0), "{again:#?}");
    let queue = world.call(&["queue", "--json"]).json();
    assert_eq!(queue["breakers"], serde_json::json!([]));
    let nothing = world.call(&["agents", "resume", "it"]);
    assert!(nothing.stderr.contains("nothing holds its agents back"), "{nothing:#?}");
    let nothing = world.call(&["agents", "resume", "it", "--json"]);
    let expected = serde_json::json!({ "breaker": "command@it", "resumed": false });
    assert_eq!(nothing.json(), expected);
}

/// Its process has ended properly, and said so.
#[test]
fn who_waits_for_a_login_is_not_said_to_have_been_left_by_a_process() {
    let world =
        World::of_agent("echo '{\"type\":\"retrying\",\"status\":401,\"attempt\":1}'; exit 1");
    assert_eq!(world.deliver().outcome(), ("running", Some(3)));
    let next = world.call(&["run", "Add another file", "--merge"]);
    assert_eq!(next.code(), Some(3), "{next:#?}");
    let words = "IT-001 waits for agents of command@it, and is paused: ";
    assert!(next.stderr.contains(words), "{next:#?}");
}

/// Nothing happens for hours, and no event tells of it.
#[test]
fn whoever_resumes_into_a_spent_window_is_told_what_is_waited_for_and_until_when() {
    let world = World::of_agent(
        "echo '{\"type\":\"rate_limited\",\"until\":\"2099-01-01T15:00:00Z\"}'; exit 1",
    );
    let running = world.start();
    running.wait_for("agents of command@it wait until");
    let listed = world.call(&["pipeline", "list"]).stdout;
    assert!(listed.contains("running (waits for command@it until 2"), "{listed}");
    assert!(!listed.contains("nobody at work"), "{listed}");
    running.signal("INT");
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("paused", Some(130)), "{told:#?}");
    assert!(!told.stderr.contains("are not started"), "it was said with the event: {told:#?}");

    let resumed = world.resume();
    resumed.wait_for("IT-001 waits until ");
    resumed.wait_for("they go on by themselves then");
    resumed.signal("INT");
    let told = Told::of(&resumed.finish());
    assert_eq!(told.outcome(), ("paused", Some(130)), "{told:#?}");
    let words = "agents of command@it are not started, the quota is spent";
    assert_eq!(told.stderr.matches(words).count(), 1, "{told:#?}");
}

/// Its time is over, and whoever would try is gone: nothing waits for it any more, and nothing is said to.
#[test]
fn a_breaker_whose_time_is_over_is_said_to_be_tried_next() {
    let world = World::of_agent(
        "echo '{\"type\":\"rate_limited\",\"until\":\"2099-01-01T15:00:00Z\"}'; exit 1",
    );
    let running = world.start();
    running.wait_for("agents of command@it wait until");
    running.signal("INT");
    assert_eq!(running.finish().code(), Some(130));
    let resumed = world.call(&["agents", "resume", "it"]);
    assert!(resumed.stderr.contains("run --resume IT-001\n"), "the item is named: {resumed:#?}");
    assert_eq!(world.call(&["pipeline", "cancel", "IT-001"]).code(), Some(0));

    let queue = world.call(&["queue"]).stdout;
    let words = "command@it: the next job tries whether it is well again";
    assert!(queue.contains(words) && !queue.contains("waits until"), "{queue}");
    let agents = world.call(&["agents", "list"]).stdout;
    assert!(agents.contains("on trial") && !agents.contains("paused"), "{agents}");
    let doctor = world.call(&["doctor"]).stdout;
    assert!(doctor.contains("the next job tries") && !doctor.contains("goes on by itself"));
}

#[test]
fn an_agent_that_nobody_knows_cannot_be_resumed() {
    let world = World::of_agent("echo new > new.txt");
    world.deliver();
    let refused = world.call(&["agents", "resume", "nobody"]);
    crate::world::assert_error(&refused, 2, "there is no agent `nobody`", "known: ");
}
