//! What destinations are told, with real files, real programs and `kill -9`.

use std::fs;

use camino::Utf8Path;
use serde_json::Value;
use testkit::gatewright::Running;

use crate::world::{Told, World, assert_error};

const AGENT: &str = "echo work >> work.txt";

/// Configures an agent that does its part, and a destination.
pub(crate) fn tell(world: &World, name: &str, table: &str) {
    let events = "events = [\"started\", \"stage_entered\", \"succeeded\"]";
    let tables = format!("[destinations.{name}]\n{events}\n{table}\n");
    world.gatewright.configure_agent_with(AGENT, &tables, "");
}

pub(crate) fn command(script: &str) -> String {
    format!("kind = \"command\"\ncommand = [\"sh\", \"-c\", '''\n{script}\n''']")
}

/// The letters in a file.
fn lines(file: &Utf8Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a letter")).collect()
}

fn texts(values: &[Value], key: &str) -> Vec<String> {
    values.iter().map(|it| it[key].as_str().unwrap_or_default().to_owned()).collect()
}

fn numbers(values: &[Value]) -> Vec<u64> {
    values.iter().filter_map(|it| it["number"].as_u64()).collect()
}

/// The numbers of the events of the first item that the destination is to hear of, in order.
fn promised(world: &World) -> Vec<u64> {
    let wanted = ["started", "stage_entered", "succeeded"];
    let mut events = world.call(&["events", "IT-001", "--json"]).json_lines();
    events.retain(|it| it["event"].as_str().is_some_and(|event| wanted.contains(&event)));
    assert!(events.len() >= 3, "{events:#?}");
    numbers(&events)
}

#[test]
fn a_file_is_told_every_event_once_and_in_order() {
    let world = World::new();
    let file = world.gatewright.home().join("events.jsonl");
    tell(&world, "log", &format!("kind = \"file\"\npath = \"{file}\""));
    let told = world.deliver();
    world.assert_merged(&told);
    assert_eq!(numbers(&lines(&file)), promised(&world));
    assert_eq!(lines(&file)[0]["title"], "Add a file");

    let open = world.call(&["outbox", "--json"]);
    assert_eq!(open.json(), serde_json::json!([]), "{open:#?}");
    let all = world.call(&["outbox", "list", "--state", "all", "--json"]).json();
    let all = all.as_array().expect("a list");
    assert!(texts(all, "state").iter().all(|state| state == "delivered"), "{all:#?}");
    assert_eq!(texts(all, "key"), texts(&lines(&file), "key"));
    let shown = world.call(&["outbox", "show", all[0]["id"].as_str().expect("an id")]);
    assert!(shown.stdout.contains("delivered") && shown.stdout.contains("IT-001"), "{shown:#?}");
}

/// The worst moment: the effect is there, and nobody knows.
#[test]
fn a_kill_between_the_effect_and_its_acknowledgement_leaves_one_effect() {
    let world = World::new();
    let [file, tries] = ["effects", "tries"].map(|name| world.gatewright.home().join(name));
    let (seen, end) = (world.gatewright.bell("seen"), world.gatewright.bell("end"));
    let script = format!(
        r#"echo "$GATEWRIGHT_LETTER_KEY" >> {tries}
           if grep -q "\"key\":\"$GATEWRIGHT_LETTER_KEY\"" {file} 2> /dev/null; then exit 0; fi
           cat >> {file}
           if [ "$GATEWRIGHT_EVENT $GATEWRIGHT_ITEM" != "succeeded IT-001" ]; then exit 0; fi
           echo seen > {}; read now < {}"#,
        seen.path(),
        end.path()
    );
    tell(&world, "chat", &command(&script));
    let seen = seen.listen();
    let running = world.start();
    assert_eq!(seen.next(), "seen");
    running.signal("KILL");
    assert_eq!(running.finish().code(), None);
    end.ring();

    let open = world.call(&["outbox", "--json"]).json();
    assert_eq!(open[0]["state"], "sending", "{open:#?}");
    // Its lease goes on for a minute, and says nothing.
    assert_eq!(open[0]["at_work"], false, "{open:#?}");
    let open = world.call(&["outbox"]);
    assert!(open.stdout.contains("its sender is gone"), "{open:#?}");
    assert!(open.stderr.contains("outbox deliver` sends it"), "{open:#?}");
    let id = open.stdout.split_whitespace().find(|it| it.starts_with("ltr_")).expect("an id");
    let shown = world.call(&["outbox", "show", id]).stdout;
    assert!(shown.contains("which is gone: the next `"), "{shown}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(
        why.contains("chat: succeeded is not delivered, its sender is gone: the next `"),
        "{why}"
    );
    let queue = world.call(&["queue"]).stdout;
    assert!(queue.contains("outbox chat: 1 waiting (") && queue.contains(" sends them"), "{queue}");
    let next = Told::of(&world.call(&["run", "Add another file", "--json"]));
    assert_eq!(next.outcome(), ("succeeded", Some(0)), "{next:#?}");
    let mut effects = lines(&file);
    effects.retain(|it| it["item"] == "IT-001");
    assert_eq!(numbers(&effects), promised(&world), "{effects:#?}");
    let tries = fs::read_to_string(tries).expect("it was tried");
    let last = texts(&effects, "key").pop().expect("the last letter");
    assert_eq!(tries.lines().filter(|key| **key == last).count(), 2, "{tries}");
}

#[test]
fn a_letter_that_is_refused_is_told_and_can_be_tried_again_or_dropped() {
    let world = World::new();
    tell(&world, "chat", &command("echo no such room >&2; exit 67"));
    let run = world.call(&["run", "Add a file", "--merge", "--json"]);
    assert_eq!(run.code(), Some(0), "work goes on: {run:#?}");
    assert!(run.stderr.contains("not delivered to chat: "), "{run:#?}");
    let events = world.call(&["events", "IT-001"]);
    assert!(events.stdout.contains("chat could not be told of an event"), "{events:#?}");
    assert!(events.stdout.contains("no such room"), "{events:#?}");
    let promised = promised(&world);
    let queue = world.call(&["queue"]);
    let dead = format!("outbox chat: {} dead", promised.len());
    assert!(queue.stdout.contains(&dead), "{queue:#?}");

    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(
        why.contains("chat: succeeded is dead (") && why.contains(" outbox retry ltr_"),
        "{why}"
    );
    let why = world.call(&["pipeline", "show", "IT-001", "--why", "--json"]).json();
    assert_eq!(why["letters"].as_array().map(Vec::len), Some(promised.len()), "{why:#}");

    let dead = world.call(&["outbox", "--json"]).json();
    let first = dead[0]["id"].as_str().expect("a dead letter").to_owned();
    assert_eq!(dead[0]["failures"], 1, "the try that was refused failed: {dead:#}");
    let empty = world.call(&["outbox", "drop", &first, "--reason", " "]);
    assert_error(&empty, 2, "the reason is empty", "say why");
    let long = "x".repeat(64 * 1024 + 1);
    let long = world.call(&["outbox", "drop", &first, "--reason", &long]);
    assert_error(&long, 2, "the reason has 65537 bytes, at most 65536 fit", "say less");
    let dropped = world.call(&["outbox", "drop", &first, "--reason", "nobody reads it"]);
    assert_eq!(dropped.code(), Some(0), "{dropped:#?}");
    let shown = world.call(&["outbox", "show", &first, "--json"]).json();
    assert_eq!((&shown["state"], &shown["failures"]), (&"dropped".into(), &1.into()), "{shown:#}");
    let again = world.call(&["outbox", "retry", &first]);
    assert_error(&again, 1, "a letter that is `dropped`", " outbox`");
    let unknown = world.call(&["outbox", "show", "ltr_0x"]);
    assert_error(&unknown, 1, "there is no letter `ltr_0x`", "outbox list");

    let file = world.gatewright.home().join("events.jsonl");
    tell(&world, "chat", &command(&format!("cat >> {file}")));
    let retried = world.call(&["outbox", "retry", "--all-dead"]);
    assert_eq!(retried.stdout.matches("tried again").count(), promised.len() - 1, "{retried:#?}");
    let next = Told::of(&world.call(&["run", "Add another file", "--json"]));
    assert_eq!(next.outcome(), ("succeeded", Some(0)), "{next:#?}");
    let mut letters = lines(&file);
    letters.retain(|it| it["item"] == "IT-001");
    assert_eq!(numbers(&letters), promised[1..], "{letters:#?}");
    let events = world.call(&["events", "IT-001"]);
    assert!(events.stdout.contains("dropped: nobody reads it"), "{events:#?}");
    let open = world.call(&["outbox"]);
    let words = "everything is delivered but what was dropped: ";
    assert!(open.stderr.contains(words) && open.stderr.contains("--state dropped"), "{open:#?}");
}

#[test]
fn a_destination_that_cannot_be_used_is_named_before_anything_is_sent() {
    let world = World::new();
    let tables = "[destinations.log]\nkind = \"file\"\npath = \"/nonexistent/events\"\n\
                  [destinations.chat]\nkind = \"command\"\ncommand = [\"no-such-program\"]\n\
                  [destinations.mail]\nkind = \"command\"\ncommand = [\"sh\"]\nenv_from = [\"NO_SUCH_TOKEN\"]\n";
    world.gatewright.configure_agent_with(AGENT, tables, "");
    let checked = world.call(&["config", "check"]);
    assert_eq!(checked.code(), Some(0), "{checked:#?}");
    for words in [
        "destination `log` cannot be used as things are: there is no directory /nonexistent",
        "destination `chat` cannot be used as things are: there is no program `no-such-program`",
        "destination `mail` cannot be used as things are: it wants the secret `NO_SUCH_TOKEN`",
    ] {
        assert!(checked.stderr.contains(words), "`{words}` is not in {checked:#?}");
    }
}

/// Delivers one item while its destination cannot be reached, so that its letters wait.
pub(crate) fn with_waiting_letters(world: &World) -> Vec<u64> {
    tell(world, "log", &command("echo not now >&2; exit 75"));
    let told = world.deliver();
    world.assert_merged(&told);
    promised(world)
}

/// Makes the first letter due again, whatever its backoff: those behind it wait for nothing else.
pub(crate) fn have_it_tried_again(world: &World) {
    let waiting = world.call(&["outbox", "--json"]).json();
    let first = waiting[0]["id"].as_str().expect("a letter that waits");
    let retried = world.call(&["outbox", "retry", first]);
    assert_eq!(retried.code(), Some(0), "{retried:#?}");
}

#[test]
fn resuming_everything_delivers_what_waits_also_where_nothing_was_interrupted() {
    let world = World::new();
    let promised = with_waiting_letters(&world);
    let file = world.gatewright.home().join("events.jsonl");
    tell(&world, "log", &format!("kind = \"file\"\npath = \"{file}\""));
    have_it_tried_again(&world);

    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    assert!(resumed.stderr.contains("nothing was interrupted"), "{resumed:#?}");
    let words = format!("letters: {} delivered, 0 waiting, 0 dead", promised.len());
    assert!(resumed.stderr.contains(&words), "{resumed:#?}");
    assert_eq!(numbers(&lines(&file)), promised);
    assert_eq!(world.call(&["outbox", "--json"]).json(), serde_json::json!([]));
    let all = world.call(&["outbox", "list", "--state", "all"]).stdout;
    assert!(all.contains("delivered") && !all.contains("not now"), "that is past: {all}");
    let open = world.call(&["outbox"]);
    assert!(open.stderr.lines().any(|line| line == "everything is delivered"), "{open:#?}");
}

/// What a cron job calls.
#[test]
fn delivering_ends_when_nothing_is_due_and_says_what_waits_until_when() {
    let world = World::new();
    let promised = with_waiting_letters(&world);
    let waiting = world.call(&["outbox", "--json"]).json();
    assert_eq!(waiting[0].get("behind"), None, "{waiting:#}");
    assert_eq!(waiting[1]["behind"], waiting[0]["id"], "{waiting:#}");
    let listed = world.call(&["outbox"]).stdout;
    assert_eq!(listed.matches("behind another").count(), promised.len() - 1, "{listed}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("waits behind another letter"), "{why}");
    have_it_tried_again(&world);

    let told = world.call(&["outbox", "deliver", "--json"]);
    assert_eq!(told.code(), Some(0), "{told:#?}");
    let all = promised.len();
    assert!(told.stderr.contains(&format!("0 delivered, {all} waiting until 2")), "{told:#?}");
    let told = told.json();
    assert_eq!((&told["delivered"], &told["dead"]), (&0.into(), &0.into()), "{told:#}");
    assert_eq!(told["waiting"], all, "{told:#}");
    assert!(told["next_due"].is_string(), "{told:#}");

    tell(&world, "log", &command("exit 67"));
    have_it_tried_again(&world);
    let told = world.call(&["outbox", "deliver", "--json"]);
    assert_eq!(told.code(), Some(3), "a person has to see to them: {told:#?}");
    let told = told.json();
    assert_eq!((&told["waiting"], &told["dead"]), (&0.into(), &all.into()), "{told:#}");
    assert_eq!(told["died"], all, "{told:#}");
    // Whoever asks later is told as well, until somebody has seen to them.
    let again = world.call(&["outbox", "deliver", "--json"]);
    assert_eq!((again.code(), &again.json()["died"]), (Some(3), &0.into()), "{again:#?}");
    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(3), "{resumed:#?}");
    let run = world.call(&["run", "--resume", "IT-001", "--json"]);
    assert_eq!(run.code(), Some(0), "it tells of the pipeline: {run:#?}");
    for letter in world.call(&["outbox", "--json"]).json().as_array().expect("a list") {
        let id = letter["id"].as_str().expect("an id");
        let dropped = world.call(&["outbox", "drop", id, "--reason", "nobody reads it"]);
        assert_eq!(dropped.code(), Some(0), "{dropped:#?}");
    }
    for arguments in [&["outbox", "deliver"][..], &["run", "--resume", "all"]] {
        let settled = world.call(arguments);
        assert_eq!(settled.code(), Some(0), "{settled:#?}");
    }
}

/// What no other try gets over is told once, and not tried again and again.
#[test]
fn delivering_ends_at_once_where_the_database_cannot_be_used() {
    let world = World::new();
    with_waiting_letters(&world);
    let file = world.gatewright.home().join("events.jsonl");
    tell(&world, "log", &format!("kind = \"file\"\npath = \"{file}\""));
    have_it_tried_again(&world);
    // Room for the first of them.
    let script = "exec prlimit --fsize=40000 -- \"$@\"";
    let deliver = ["outbox", "deliver"];
    let mut command = world.gatewright.command_in_namespace(world.dir(), script, &deliver);
    let refused = Running::start(&mut command).finish();
    let error = "gatewright.db cannot grow: no file of this process may be longer than 40000 bytes";
    assert_error(&refused, 1, error, "`ulimit -f unlimited` lifts the limit");
    assert_eq!(refused.stderr.matches("cannot grow").count(), 1, "{refused:#?}");
    let told = world.call(&deliver);
    assert_eq!(told.code(), Some(0), "{told:#?}");
}

/// `doctor` must not call ready what will never tell anybody anything.
#[test]
fn a_destination_that_cannot_be_reached_and_letters_that_are_dead_are_told_by_doctor() {
    let world = World::new();
    tell(&world, "pager", &command("exit 67"));
    let told = world.deliver();
    world.assert_merged(&told);
    let doctor = world.call(&["doctor", "--json"]).json();
    let named = |name: &str| {
        let mut checks = doctor.as_array().unwrap().iter();
        checks.find(|it| it["name"] == name).unwrap_or_else(|| panic!("{doctor:#}"))
    };
    assert_eq!(named("destination pager")["state"], "ok");
    let letters = named("letters");
    assert_eq!(letters["state"], "warning", "{letters:#}");
    assert!(letters["found"].as_str().unwrap().contains("dead"), "{letters:#}");
    assert!(letters["mend"].as_str().unwrap().contains("outbox retry ID"), "{letters:#}");

    tell(&world, "pager", "kind = \"command\"\ncommand = [\"no-such-program\"]");
    let doctor = world.call(&["doctor"]);
    assert!(doctor.stdout.contains("there is no program `no-such-program`"), "{doctor:#?}");
    assert!(!doctor.stderr.lines().any(|line| line == "ready to work"), "{doctor:#?}");
}

/// A person who presses Ctrl-C twice is not kept by a destination that hangs.
/// Nobody delivers its letters, and no time that comes changes that.
#[test]
fn letters_to_a_destination_that_was_taken_out_of_the_configuration_are_told() {
    let world = World::new();
    let _waiting = with_waiting_letters(&world);
    world.gatewright.configure_agent(AGENT);
    let listed = world.call(&["outbox"]);
    assert!(listed.stdout.contains("not configured"), "{listed:#?}");
    assert!(listed.stderr.contains("[destinations.log] again"), "{listed:#?}");
    let doctor = world.call(&["doctor"]).stdout;
    assert!(doctor.contains("which is not configured here"), "{doctor}");
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains("waits: log is not configured here"), "{why}");
}

#[test]
fn delivering_ends_with_a_second_signal_whatever_a_destination_does() {
    let world = World::new();
    with_waiting_letters(&world);
    let called = world.gatewright.bell("called");
    tell(&world, "log", &command(&format!("echo called > {}; sleep 1000", called.path())));
    have_it_tried_again(&world);
    let delivering = world.gatewright.start(world.dir(), &["outbox", "deliver", "--json"]);
    assert_eq!(called.listen().next(), "called");
    delivering.signal("INT");
    delivering.wait_for("stopping: ");
    delivering.signal("INT");
    let told = delivering.finish();
    assert_eq!(told.code(), Some(130), "{told:#?}");
    assert_eq!(told.json()["interrupted"], true, "{told:#?}");
}

/// Whoever starts us with SIGXFSZ ignored wants what we start to have it so: its writes fail, and it does not end.
#[test]
fn a_signal_that_was_ignored_is_ignored_by_whom_we_start() {
    let world = World::new();
    with_waiting_letters(&world);
    let seen = world.gatewright.home().join("seen");
    tell(&world, "log", &command(&format!("grep SigIgn /proc/self/status > {seen}")));
    for (script, is_ignored) in [("exec \"$@\"", false), ("trap '' 25; exec \"$@\"", true)] {
        have_it_tried_again(&world);
        let deliver = ["outbox", "deliver"];
        let mut call = world.gatewright.command_in_namespace(world.dir(), script, &deliver);
        let told = Running::start(&mut call).finish();
        assert_eq!(told.code(), Some(0), "{told:#?}");
        let mask = fs::read_to_string(&seen).expect("it was called");
        let mask = mask.split_whitespace().last().expect("a mask");
        let mask = u64::from_str_radix(mask, 16).expect("a number");
        assert_eq!(mask >> 24 & 1 == 1, is_ignored, "{mask:x}");
        tell(&world, "log", &command("exit 75"));
        let run = world.call(&["run", "Add another file", "--json"]);
        assert_eq!(run.code(), Some(0), "{run:#?}");
        tell(&world, "log", &command(&format!("grep SigIgn /proc/self/status > {seen}")));
    }
}
