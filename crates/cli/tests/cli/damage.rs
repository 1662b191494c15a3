//! A damaged row: one pipeline is parked and named, the others are delivered.

use std::fs;

use serde_json::Value;

use crate::world::{Told, World, assert_error};

/// An interrupted pipeline, whose document is then made unreadable. Returns its id.
fn with_a_damaged_pipeline(world: &World) -> String {
    let id = with_an_interrupted_pipeline(world);
    spoil_titles(world);
    id
}

/// A pipeline that was interrupted while its agent was at work. Returns its id.
fn with_an_interrupted_pipeline(world: &World) -> String {
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo s > {}; read now < {}",
        started.path(),
        end.path()
    ));
    let running = world.start();
    assert_eq!(started.listen().next(), "s");
    running.signal("INT");
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("paused", Some(130)), "{told:#?}");
    told.text("pipeline").to_owned()
}

/// Makes every document unreadable that holds the title: of the pipeline and of its letters.
fn spoil_titles(world: &World) {
    spoil(world, r#""title":"Add a file""#, r#""title";"Add a file""#);
}

/// Writes other words of the same length over words in the database, everywhere. No SQL here.
fn spoil(world: &World, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let database = world.gatewright.data_dir().join("gatewright.db");
    let mut bytes = fs::read(&database).unwrap();
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|part| part == from) {
        bytes[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + to.len();
    }
    assert!(at > 0, "the words are in the file");
    fs::write(&database, bytes).unwrap();
}

/// Who paused it decides whether it goes on by itself: a guess would be wrong half of the time.
#[test]
fn a_pipeline_of_which_nobody_can_tell_who_paused_it_is_named_wherever_that_counts() {
    for (from, to) in [
        // The form of the event, and its kind in the column that it is looked for by.
        (r#""kind":{"event":"paused"}"#, r#""kind":{"event":"pauzed"}"#),
        (r#"paused{"version":1,"#, r#"pauzed{"version":1,"#),
    ] {
        let world = World::new();
        let id = with_an_interrupted_pipeline(&world);
        spoil(&world, from, to);
        let resumed = world.call(&["run", "--resume", "all"]);
        let listed = world.call(&["pipeline", "list"]);
        let why = world.call(&["pipeline", "show", "IT-001", "--why"]);
        for told in [&resumed, &listed, &why] {
            assert_eq!(told.code(), Some(0), "{told:#?}");
            let words = "IT-001 is paused, and it cannot be read who paused it: ";
            assert_eq!(told.stderr.matches(words).count(), 1, "{told:#?}");
            assert!(told.stderr.contains("run --resume IT-001` goes on with it"), "{told:#?}");
            assert!(told.stderr.contains(&format!("{id} is damaged (events ")), "{told:#?}");
        }
        assert!(why.stdout.contains("(paused, and it cannot be read who paused it)"), "{why:#?}");
        assert!(!why.stdout.contains("by a person"), "{why:#?}");
        let list = world.call(&["pipeline", "list", "--json"]).json();
        assert_eq!(list[0]["reason"], "paused in stage `develop`", "{list:#}");
        assert_eq!(list[0]["paused_by"], Value::Null, "{list:#}");
    }
}

/// It says that it runs, and nothing moves it.
#[test]
fn what_is_parked_is_not_told_as_running() {
    let world = World::new();
    let id = with_an_interrupted_pipeline(&world);
    let job = r#"{"version":1,"value":{"type":"agent","#;
    spoil(&world, job, &job.replace('1', "7"));
    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(3), "{resumed:#?}");
    assert!(
        resumed.stdout.contains("IT-001 Add a file: running, parked because of damage"),
        "{resumed:#?}"
    );
    assert!(resumed.stdout.contains(&format!("{id} is damaged (jobs ")), "{resumed:#?}");
    assert!(resumed.stdout.contains(&format!(" export {id}\n")), "{resumed:#?}");
    let again = world.call(&["run", "--resume", "IT-001", "--json"]).json();
    assert!(again["damaged"].as_str().unwrap().contains("(jobs "), "{again:#}");
}

/// Doctor asks what a backup asks, and whoever meets it at work is told what to do.
#[test]
fn a_table_or_index_that_something_else_has_changed_is_told_by_everybody() {
    for (from, to, odd, stops_work) in [
        ("jobs_ready", "jobs_reaby", "the index `jobs_reaby` differs", true),
        ("never changed'", "never chan9ed'", "the trigger `events_are_not_changed` differs", false),
    ] {
        let world = World::of_agent("echo new > $GATEWRIGHT_ITEM.txt");
        let told = world.deliver();
        world.assert_merged(&told);
        spoil(&world, from, to);
        let doctor = world.call(&["doctor"]);
        assert_eq!(doctor.code(), Some(1), "{doctor:#?}");
        assert!(doctor.stdout.contains(odd), "{doctor:#?}");
        assert!(!doctor.stdout.contains("is whole"), "{doctor:#?}");
        let backup = world.gatewright.home().join("it.backup");
        assert_error(&world.call(&["backup", backup.as_str()]), 1, odd, " doctor` says more");
        let run = world.call(&["run", "Add another file"]);
        if stops_work {
            assert_error(&run, 1, "was changed by something else: no such index", "doctor` names");
        } else {
            assert_eq!(run.code(), Some(0), "{run:#?}");
        }
    }
}

/// What cannot be read must not look as if it were delivered.
#[test]
fn letters_that_are_damaged_are_named_by_outbox_list() {
    let world = World::new();
    let tables =
        "[destinations.log]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"exit 75\"]\n";
    world.gatewright.configure_agent_with("echo work > work.txt", tables, "");
    let told = world.deliver();
    world.assert_merged(&told);
    spoil_titles(&world);

    let listed = world.call(&["outbox"]);
    assert_eq!((listed.code(), listed.stdout.as_str()), (Some(0), ""), "{listed:#?}");
    let words = format!("{} is damaged (outbox ", told.text("pipeline"));
    assert!(listed.stderr.contains(&words), "{listed:#?}");
    assert!(listed.stderr.contains("no letters but those that are damaged"), "{listed:#?}");
    assert!(!listed.stderr.contains("everything is delivered"), "{listed:#?}");
    assert!(!listed.stderr.contains("ERROR"), "it is said once, in words: {listed:#?}");
    let queue = world.call(&["queue"]);
    assert!(queue.stderr.contains(&words), "{queue:#?}");
    let all = world.call(&["outbox", "list", "--state", "all"]);
    assert!(all.stderr.contains("damaged row of outbox"), "{all:#?}");
    let asked = world.call(&["outbox", "--json"]);
    assert_eq!(asked.json(), serde_json::json!([]), "{asked:#?}");
    assert!(asked.stderr.contains(&words), "{asked:#?}");
}

#[test]
fn a_damaged_pipeline_is_named_everywhere_and_the_next_one_is_delivered() {
    let world = World::new();
    let id = with_a_damaged_pipeline(&world);
    world.gatewright.configure_agent("echo other > other.txt");
    let other = Told::of(&world.call(&["run", "Add another file", "--json"]));
    assert_eq!(other.outcome(), ("succeeded", Some(0)), "{other:#?}");

    let words = format!("{id} is damaged");
    for command in [&["pipeline", "list"][..], &["queue"]] {
        let shown = world.call(command);
        assert_eq!(shown.code(), Some(0), "{shown:#?}");
        assert!(shown.stderr.contains(&words), "{shown:#?}");
        assert!(!shown.stderr.contains("ERROR"), "it is said once, in words: {shown:#?}");
    }
    let queue = world.call(&["queue", "--json"]).json();
    assert_eq!(queue["damaged"][0]["pipeline"], id.as_str(), "{queue:#}");
    let doctor = world.call(&["doctor", "--json"]).json();
    let rows: Vec<&Value> =
        doctor.as_array().unwrap().iter().filter(|it| it["name"] == "damaged row").collect();
    assert_eq!(rows.len(), 1, "{doctor:#}");
    assert!(rows[0]["found"].as_str().unwrap().starts_with(&words), "{doctor:#}");
    // It cannot be read, so that cancelling it would be refused: nobody is told to.
    let mend = rows[0]["mend"].as_str().unwrap();
    assert!(mend.contains("restore FILE --force") && !mend.contains("cancel"), "{doctor:#}");

    for (command, name) in [("show", id.as_str()), ("cancel", &id), ("show", "IT-001")] {
        let refused = world.call(&["pipeline", command, name]);
        assert_eq!(refused.code(), Some(1), "{refused:#?}");
        assert!(
            refused.stderr.contains("is damaged") && refused.stderr.contains("export"),
            "{refused:#?}"
        );
    }
    let why = world.call(&["pipeline", "show", "IT-001", "--why"]).stdout;
    assert!(why.contains(&id) && why.contains("nothing, until a backup is restored"), "{why}");
    let exported = world.call(&["export", "IT-001"]);
    assert_eq!(exported.code(), Some(0), "{exported:#?}");
    let export = exported.json();
    assert_eq!(export["pipeline"], Value::Null);
    assert_eq!(export["damaged"][0]["table"], "pipelines", "{export:#}");
    assert!(export["events"].as_array().is_some_and(|it| !it.is_empty()), "{export:#}");
    assert!(export["jobs"].as_array().is_some_and(|it| !it.is_empty()), "{export:#}");
}

#[test]
fn a_list_names_the_damaged_among_those_that_have_ended() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    spoil_titles(&world);
    let words = format!("{} is damaged", told.text("pipeline"));
    let listed = world.call(&["pipeline", "list"]);
    assert_eq!(listed.stderr.matches(&words).count(), 1, "{listed:#?}");
    assert!(!listed.stderr.contains("ERROR"), "it is said once, in words: {listed:#?}");
    let others = world.call(&["pipeline", "list", "--status", "failed"]);
    assert!(!others.stderr.contains(&words), "nobody asked for it: {others:#?}");
}

#[test]
fn an_export_holds_everything_about_one_pipeline_while_it_is_at_work() {
    let world = World::of_agent("echo new > new.txt; echo a line");
    let told = world.deliver();
    world.assert_merged(&told);
    let file = world.gatewright.home().join("export.json");
    let exported = world.call(&["export", "IT-001", "--output", file.as_str()]);
    assert_eq!((exported.code(), exported.stdout.as_str()), (Some(0), ""), "{exported:#?}");
    let export: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((&export["format"], &export["version"]), (&"gatewright-export".into(), &1.into()));
    assert_eq!(export["pipeline"]["status"], "succeeded");
    assert_eq!(export["state"]["item"]["title"], "Add a file");
    assert_eq!(export["definition"]["name"], "solo");
    for list in ["events", "runs", "verdicts", "jobs", "logs"] {
        assert!(export[list].as_array().is_some_and(|it| !it.is_empty()), "{list}: {export:#}");
    }
    assert_eq!(export["damaged"], serde_json::json!([]));
    let log = export["logs"][0].as_str().unwrap();
    assert!(fs::read_to_string(log).unwrap().contains("a line"), "{log}");
    let healthy = world.call(&["doctor", "--json"]).json();
    let database = healthy.as_array().unwrap().iter().find(|it| it["name"] == "database");
    assert_eq!(database.unwrap()["state"], "ok", "{healthy:#}");
}
