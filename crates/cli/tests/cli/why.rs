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
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo started > {}; read now < {}",
        started.path(),
        end.path()
    ));
    let started = started.listen();
    let running = world.start();
    assert_eq!(started.next(), "started");

    let alive = explained(&world);
    assert_eq!(alive["pipeline"]["at_work"], true, "{alive:#}");
    assert_eq!(alive["movers"][0]["mover"], "worker", "{alive:#}");
    assert_eq!(alive["movers"][0]["work"], "agent:solo");
    assert!(alive["movers"][0]["run"].as_str().is_some_and(|it| it.starts_with("run_")));
    assert_eq!(alive["holder"]["command"], "gatewright run", "{alive:#}");
    assert_eq!(alive["holder"]["state"], "running");
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
    assert!(why.contains("its agent is alive"), "{why}");
    assert!(why.contains("and is taken up again then"), "{why}");
    assert!(why.contains("last heard ") && !why.contains("it is stopped after"), "{why}");
    assert!(!why.contains("--follow"), "nobody follows it: {why}");
    assert!(listed(&world).contains("(nobody at work), its agent is alive"), "{}", listed(&world));

    let doctor = world.call(&["doctor"]).stdout;
    let words = "nobody works on what was begun: IT-001 (its agent is alive)";
    assert!(doctor.contains(words) && doctor.contains("run --resume all"), "{doctor}");

    // The lease says otherwise for half a minute.
    let queued = world.call(&["queue", "--json"]).json()["running"][0].clone();
    assert_eq!((&queued["at_work"], &queued["agent_lives"]), (&false.into(), &true.into()));
    let queued = world.call(&["queue"]).stdout;
    assert!(queued.contains("is gone; its agent is alive)"), "{queued}");
    end.ring();
    world.gatewright.wait_for_sandboxes();
    let queued = world.call(&["queue"]).stdout;
    assert!(queued.contains("is gone; its agent has ended)"), "{queued}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("its agent has ended"), "{why}");
    assert!(!why.contains("last heard") && !why.contains("--follow"), "{why}");
    let resumed = world.resume();
    let told = resumed.wait_for("the agent of solo ");
    assert!(told.contains("has ended meanwhile: what it left is taken over"), "{told}");
    drop(resumed);
}

/// While one item is resumed, the others are set aside, and their agents live on.
#[test]
fn an_agent_that_was_left_behind_is_told_of_while_another_item_is_resumed() {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    let script = "echo started > START; read now < END; echo new > new.txt"
        .replace("START", started.path().as_str())
        .replace("END", end.path().as_str());
    world.gatewright.configure_agent(&script);
    let started = started.listen();
    for title in ["Add a file", "Add another file"] {
        let running = world.gatewright.start(world.dir(), &["run", title, "--json"]);
        assert_eq!(started.next(), "started");
        running.signal("KILL");
        running.finish();
    }
    let resumed = world.gatewright.start(world.dir(), &["run", "--resume", "IT-002", "--json"]);
    resumed.wait_for("is still at work: taken up again");

    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("its agent is alive (run_"), "{why}");
    let why = explained(&world);
    assert_eq!(why["left"].as_array().map(Vec::len), Some(1), "{why:#}");
    let queue = world.call(&["queue", "--json"]).json();
    let id = why["pipeline"]["id"].clone();
    let of_it = |it: &&Value| it["pipeline"] == id;
    let mut jobs =
        ["queued", "running"].into_iter().filter_map(|it| queue[it].as_array()).flatten();
    let job = jobs.find(of_it).unwrap_or_else(|| panic!("no job of {id}: {queue:#}"));
    assert_eq!(job["agent_lives"], true, "{queue:#}");
    end.ring();
    end.ring();
    assert_eq!(resumed.finish().code(), Some(0));
}

#[test]
fn a_pipeline_with_a_time_limit_says_when_it_is_over() {
    let mut world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    world.define("timed", "[limits]\nwall_time = \"3h\"");
    let running =
        world.gatewright.start(world.dir(), &["run", "Add a file", "--pipeline", "timed"]);
    assert_eq!(started.listen().next(), "started");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("its time is over in ") && why.contains("wall_time"), "{why}");
    assert!(explained(&world)["wall_time_ends_at"].is_string());
    drop(running);
}

/// A backup remembers who was at work, and where it is restored nobody is.
#[test]
fn after_a_restore_nobody_is_said_to_be_at_work() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let started = started.listen();
    let running = world.start();
    assert_eq!(started.next(), "started");
    let [backup, other] = ["backup", "other"].map(|name| world.gatewright.home().join(name));
    let kept = world.call(&["backup", backup.as_str()]);
    assert_eq!(kept.code(), Some(0), "{kept:#?}");
    let restored = world.call(&["--data-dir", other.as_str(), "restore", backup.as_str()]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");

    let there =
        |arguments: &[&str]| world.call(&[&["--data-dir", other.as_str()], arguments].concat());
    let queued = there(&["queue", "--json"]).json();
    assert_eq!(queued.get("holder"), None, "{queued:#}");
    let job = &queued["running"][0];
    assert_eq!(job["at_work"], false, "{job:#}");
    assert_eq!(job.get("agent_lives"), None, "its run was ended with the restore: {job:#}");
    let listed = there(&["pipeline", "list"]).stdout;
    assert!(listed.contains("running (nobody at work)"), "{listed}");
    let why = there(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("which is gone, and begins anew then"), "{why}");
    let logs = there(&["logs", "IT-001"]);
    assert_eq!(logs.code(), Some(0), "{logs:#?}");
    assert!(logs.stderr.contains("a backup holds no logs"), "{logs:#?}");
    let here = world.call(&["queue", "--json"]).json()["running"][0].clone();
    assert_eq!((&here["at_work"], &here["agent_lives"]), (&true.into(), &true.into()), "{here:#}");
    drop(running);
}

/// SIGTERM pauses the pipeline and leaves its agent at work: both are so, wherever one looks.
#[test]
fn an_agent_that_sigterm_left_at_work_is_told_by_every_list() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("TERM");
    drop(running.finish());
    let words = "paused (interrupted), its agent is alive";
    assert!(listed(&world).contains(words), "{}", listed(&world));
    let shown = world.call(&["pipeline", "show", "IT-001"]).stdout;
    assert!(shown.contains(words), "{shown}");
    assert_eq!(explained(&world)["pipeline"]["agent_lives"], true);
    let queue = world.call(&["queue"]).stdout;
    let job = queue.lines().find(|line| line.contains("agent:solo")).expect("its job");
    assert!(job.contains("paused") && job.contains("its agent is alive"), "{queue}");
    assert!(!job.contains("running") && !job.contains("queued"), "{queue}");
}

#[test]
fn what_was_interrupted_and_what_a_person_paused_look_different() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("INT");
    drop(running.finish());
    assert!(listed(&world).contains("paused (interrupted)"), "{}", listed(&world));
    let told = explained(&world);
    assert_eq!(told["pipeline"]["paused_by"], "engine", "{told:#}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("run --resume IT-001 (interrupted "), "{why}");
    let refused = world.call(&["pipeline", "retry", "IT-001"]);
    let words = "IT-001 is paused (interrupted) and cannot take `retry`";
    crate::world::assert_error(&refused, 1, words, "run --resume IT-001` goes on with it");

    for command in ["resume", "pause"] {
        let steered = world.call(&["pipeline", command, "IT-001"]);
        assert_eq!(steered.code(), Some(0), "{steered:#?}");
    }
    assert!(listed(&world).contains("paused by tester"), "{}", listed(&world));
    let shown = world.call(&["pipeline", "show", "IT-001"]).stdout;
    assert!(shown.contains("paused by tester"), "{shown}");
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

/// Each agent that cannot be started has a line of its own, and keeps only its own jobs.
#[test]
fn what_two_agents_lack_is_told_side_by_side_and_to_each_pipeline_its_own() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!("echo started > {}; sleep 1000", started.path()));
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    let lines = "agent it\tits program is gone\nagent other\tits login is gone";
    std::fs::write(world.gatewright.data_dir().join("held"), lines).unwrap();
    let queue = world.call(&["queue"]).stdout;
    for words in ["held   its program is gone\n", "held   its login is gone\n"] {
        assert!(queue.contains(words), "{queue}");
    }
    let queue = world.call(&["queue", "--json"]).json();
    let both = serde_json::json!(["its program is gone", "its login is gone"]);
    assert_eq!(queue["held"], both, "{queue:#}");
    assert_eq!(explained(&world)["held"], serde_json::json!(["its program is gone"]));
    drop(running);
}
