//! Ctrl-C, SIGTERM and `kill -9`: nothing is lost, and nothing is done twice.

use testkit::gatewright::Gatewright;

use crate::world::{Told, World};

/// Leaves half of its work and waits for ever; the next one finds that half and adds the other.
fn in_two_halves(gatewright: &Gatewright) -> testkit::gatewright::Rings {
    let started = gatewright.bell("started");
    let script = format!(
        "if [ -e work.txt ]; then echo second half >> work.txt; exit; fi
         echo first half > work.txt; echo started > {}; sleep 1000",
        started.path()
    );
    gatewright.configure_agent(&script);
    started.listen()
}

/// An agent has done half of its work, and its orchestrator is gone.
fn killed_in_mid_work() -> World {
    let world = World::new();
    let started = in_two_halves(&world.gatewright);
    let running = world.start();
    assert_eq!(started.next(), "started");
    running.kill();
    drop(running.finish());
    world
}

#[test]
fn ctrl_c_stops_the_agent_keeps_its_work_and_says_how_to_go_on() {
    let world = World::new();
    let started = in_two_halves(&world.gatewright);
    let running = world.gatewright.start(world.dir(), &["run", "Add a file", "--merge"]);
    assert_eq!(started.next(), "started");
    running.signal("INT");
    let finished = running.finish();

    assert_eq!(finished.code(), Some(130), "{finished:#?}");
    assert!(
        finished.stdout.contains("paused") && finished.stdout.contains("run --resume pl_"),
        "{finished:#?}"
    );
    let words = "goes back to the queue, no try is spent: the orchestrator was stopped, and the agent with it";
    assert!(finished.stderr.contains(words), "{finished:#?}");
    assert!(!finished.stderr.contains("taken up"), "nobody takes it up: {finished:#?}");
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
    world.assert_untouched();

    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
    assert_eq!(world.repository.show("main:work.txt"), "first half\nsecond half\n");
}

#[test]
fn an_interrupted_pipeline_stays_paused_while_others_run() {
    let world = World::new();
    let started = in_two_halves(&world.gatewright);
    let running = world.start();
    assert_eq!(started.next(), "started");
    running.signal("INT");
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("paused", Some(130)), "{told:#?}");

    world.gatewright.configure_agent("echo other > other.txt");
    let other = Told::of(&world.call(&["run", "Add another file", "--json"]));
    assert_eq!(other.outcome(), ("succeeded", Some(0)), "{other:#?}");
    let shown = world.call(&["pipeline", "show", told.text("pipeline"), "--json"]);
    assert_eq!(shown.code(), Some(0), "{shown:#?}");
    assert!(shown.stdout.contains("\"paused\""), "{}", shown.stdout);
}

/// Works until it is told to end, so that it is alive whatever happens to the orchestrator.
fn until_told(gatewright: &Gatewright) -> (testkit::gatewright::Rings, testkit::gatewright::Bell) {
    let (started, end) = (gatewright.bell("started"), gatewright.bell("end"));
    let script = format!(
        "echo \"run $GATEWRIGHT_RUN\" >> work.txt; echo started > {}; read now < {}; git add .; git commit -qm work",
        started.path(),
        end.path()
    );
    gatewright.configure_agent(&script);
    (started.listen(), end)
}

/// The agent goes on without the orchestrator, the next orchestrator takes it up, and it has run once.
fn is_taken_up_again_after(signal: &str, code: Option<i32>) {
    let world = World::new();
    let (started, end) = until_told(&world.gatewright);
    let running = world.start();
    assert_eq!(started.next(), "started");
    running.signal(signal);
    let finished = running.finish();
    assert_eq!(finished.code(), code, "{finished:#?}");
    assert!(!world.gatewright.sandboxed().is_empty(), "the agent did not survive: {finished:#?}");
    world.assert_untouched();

    let resumed = world.resume();
    resumed.wait_for("is still at work: taken up again");
    end.ring();
    let told = Told::of(&resumed.finish());
    world.assert_merged(&told);
    assert_eq!(world.repository.show("main:work.txt").lines().count(), 1);
    assert_eq!(started.heard(), Vec::<String>::new());
    assert_eq!(world.briefs().len(), 1);
}

#[test]
fn an_agent_outlives_a_killed_orchestrator_and_is_taken_up_again() {
    is_taken_up_again_after("KILL", None);
}

#[test]
fn sigterm_leaves_agents_at_work_for_the_next_orchestrator() {
    is_taken_up_again_after("TERM", Some(130));
}

#[test]
fn a_terminal_that_is_closed_leaves_agents_at_work_for_the_next_orchestrator() {
    is_taken_up_again_after("HUP", Some(130));
}

#[test]
fn what_an_agent_finished_while_nobody_was_there_is_delivered() {
    let world = World::new();
    let (started, end) = until_told(&world.gatewright);
    let running = world.start();
    assert_eq!(started.next(), "started");
    running.signal("KILL");
    assert_eq!(running.finish().code(), None);
    end.ring();
    world.gatewright.wait_for_sandboxes();

    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
    assert_eq!(world.repository.show("main:work.txt").lines().count(), 1);
    assert_eq!(world.briefs().len(), 1);
}

/// The agent has done its part: it is not asked to do it again.
fn a_gate_is_asked_again_after(signal: &str, code: Option<i32>) {
    let world = World::of_agent("echo new > new.txt");
    let (judging, go_on) = (world.gatewright.bell("judging"), world.gatewright.bell("go-on"));
    let check =
        format!("echo judging > {}; read now < {}; tests/run.sh", judging.path(), go_on.path());
    let arguments = ["run", "Add a file", "--merge", "--json", "--check", &check];
    let running = world.gatewright.start(world.dir(), &arguments);
    let judging = judging.listen();
    assert_eq!(judging.next(), "judging");
    running.signal(signal);
    let finished = running.finish();
    assert_eq!(finished.code(), code, "{finished:#?}");
    world.assert_untouched();

    let resumed = world.resume();
    // One for each that may ask: the gate that was cut short, the same again, and that of the merge candidate.
    (0..3).for_each(|_| go_on.ring());
    let told = Told::of(&resumed.finish());
    world.assert_merged(&told);
    assert_eq!(world.briefs().len(), 1);
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn a_gate_that_ctrl_c_cut_short_is_asked_again() {
    a_gate_is_asked_again_after("INT", Some(130));
}

#[test]
fn a_gate_whose_orchestrator_was_killed_is_asked_again() {
    a_gate_is_asked_again_after("KILL", None);
}

/// After each line that it says, which is after each thing that it saved.
#[test]
fn whenever_the_orchestrator_is_killed_the_work_is_done_once_and_delivered() {
    for moment in [
        "starts from commit",
        "stage develop began",
        "agent solo handed in",
        "gate tests passed",
        "stage develop passed",
        "brought onto the target",
        "gate mergeable passed",
        "stage finish passed",
        "done: merged",
    ] {
        let world = World::of_agent(
            "echo \"run $GATEWRIGHT_RUN\" >> work.txt; git add .; git commit -qm work",
        );
        let running = world.start();
        running.wait_for(moment);
        running.kill();
        drop(running.finish());
        let told = Told::of(&world.resume().finish());
        world.assert_merged(&told);
        assert_eq!(world.repository.show("main:work.txt").lines().count(), 1, "{moment}");
        assert_eq!(world.repository.git(&["rev-list", "--count", "main"]), "3", "{moment}");
        assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new(), "{moment}");
    }
}

#[test]
fn a_second_ctrl_c_leaves_a_stubborn_agent_behind_and_ends() {
    let world = World::new();
    let (started, asked) = (world.gatewright.bell("started"), world.gatewright.bell("asked"));
    world.gatewright.configure_agent(&format!(
        "if [ -e ~/tried ]; then echo new > new.txt; exit; fi
         touch ~/tried; trap 'echo asked > {}' TERM; echo started > {}; while :; do sleep 1000 & wait; done",
        asked.path(),
        started.path()
    ));
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    running.signal("INT");
    assert_eq!(asked.listen().next(), "asked");
    running.signal("INT");
    let told = Told::of(&running.finish());
    assert_eq!(told.code, Some(130), "{told:#?}");
    assert!(told.stderr.contains("agents were told to end, and may be ending"), "{told:#?}");
    world.assert_untouched();
    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
}

/// Whoever gives up what a dead orchestrator left running needs no `run` for it: the agent ends, and what it did is kept.
#[test]
fn cancelling_after_kill_9_stops_the_agent_and_keeps_what_it_left() {
    let world = killed_in_mid_work();
    assert_ne!(world.gatewright.sandboxed(), Vec::<String>::new(), "the agent goes on");

    let cancelled = world.call(&["pipeline", "cancel", "IT-001", "--reason", "changed my mind"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    assert_eq!(cancelled.stderr, "", "{cancelled:#?}");
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
    let runs = world.call(&["pipeline", "show", "IT-001", "--json"]).json()["runs"].clone();
    assert_eq!(runs[0]["state"], "failed", "{runs:#}");
    let mirror = world.gatewright.data_dir().join("mirrors/IT.git");
    let kept = git_in(&mirror, &["for-each-ref", "--format=%(refname)", "refs/gatewright/"]);
    let work = |name: &str| git_in(&mirror, &["show", &format!("{name}:work.txt")]);
    assert!(kept.lines().any(|name| work(name) == "first half"), "{kept}");
    world.assert_untouched();
}

/// Without the agent's configuration the agent is stopped all the same, and nothing of its work is thrown away.
#[test]
fn cancelling_without_the_configuration_says_what_is_left_where_it_is() {
    let world = killed_in_mid_work();

    world.gatewright.configure("key = \"IT\"\n");
    for input in ["pause", "resume"] {
        let told = world.call(&["pipeline", input, "IT-001"]);
        assert_eq!((told.code(), &*told.stderr), (Some(0), ""), "it stops nobody: {told:#?}");
    }
    assert_ne!(world.gatewright.sandboxed(), Vec::<String>::new(), "the agent goes on");
    let cancelled = world.call(&["pipeline", "cancel", "IT-001"]);
    assert_eq!(cancelled.code(), Some(0), "{cancelled:#?}");
    assert!(cancelled.stderr.contains("there is no agent `it`"), "{cancelled:#?}");
    assert!(cancelled.stderr.contains("stays in its workspace"), "{cancelled:#?}");
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
    let runs = world.call(&["pipeline", "show", "IT-001", "--json"]).json()["runs"].clone();
    assert_eq!(runs[0]["state"], "running", "its work is still to be kept: {runs:#}");

    // Nobody writes to its log any more, although its end stands nowhere.
    let followed = world.call(&["logs", "IT-001", "--follow"]);
    assert_eq!(followed.code(), Some(0), "{followed:#?}");
    let words = "IT-001 has ended, and the end of this run is not recorded";
    assert!(followed.stderr.contains(words), "{followed:#?}");

    let unkept =
        format!("holds work of {} for IT-001 that was not kept", runs[0]["id"].as_str().unwrap());
    let doctor = world.call(&["doctor", "--json"]);
    let checks = doctor.json();
    let check =
        checks.as_array().unwrap().iter().find(|it| it["found"].to_string().contains(&unkept));
    let mend = check.unwrap_or_else(|| panic!("{doctor:#?}"))["mend"].to_string();
    let file = world.gatewright.home().join(".config/gatewright/gatewright.toml");
    let configure = format!("configure agent `it`, which left it, in {file}; then ");
    assert!(mend.contains(&configure), "{mend}");

    // What is configured for its own repository counts, wherever one asks from.
    world.gatewright.configure_agent("true");
    std::fs::rename(&file, world.dir().join("gatewright.toml")).expect("a file");
    let elsewhere =
        world.gatewright.start(&world.gatewright.home(), &["doctor", "--json"]).finish();
    assert!(elsewhere.stdout.contains(&unkept), "{elsewhere:#?}");
    assert!(!elsewhere.stdout.contains("configure agent"), "{elsewhere:#?}");
    let all = ["run", "--resume", "all"];
    let resumed = world.gatewright.start(&world.gatewright.home(), &all).finish();
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    let doctor = world.call(&["doctor"]);
    assert!(!doctor.stdout.contains("was not kept"), "{doctor:#?}");
}

fn git_in(dir: &camino::Utf8Path, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    let output = command.arg("-C").arg(dir).args(arguments).output().expect("git");
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

/// They are in a binary of the tests alone: `crates/chaos`.
#[test]
fn the_product_has_no_failpoints() {
    let world = World::of_agent("echo new > new.txt");
    let arguments = ["run", "Add a file", "--merge", "--json"];
    let mut command = world.gatewright.command(world.dir(), &arguments);
    let command = command.env("CHAOS_FAILPOINT", "store.apply.before=abort");
    let told = Told::of(&testkit::gatewright::Running::start(command).finish());
    world.assert_merged(&told);
}

#[test]
fn what_is_not_there_cannot_be_resumed() {
    let world = World::of_agent("echo new > new.txt");
    for (id, code) in [("IT-007", 1), ("pl_01a1fd3b0c237debad8737baa7a445f6", 1)] {
        let finished = world.call(&["run", "--resume", id]);
        assert_eq!(finished.code(), Some(code), "{finished:#?}");
        assert!(
            finished.stderr.contains(id) && finished.stderr.contains("help: "),
            "{finished:#?}"
        );
    }
}

#[test]
fn a_finished_pipeline_can_be_resumed_and_does_nothing_more() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let again = Told::of(&world.call(&["run", "--resume", told.text("pipeline"), "--json"]));
    world.assert_merged(&again);
    assert_eq!(world.briefs().len(), 1);
}
