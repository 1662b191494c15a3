//! Whatever is remembered, the terminal is not steered by it.

use std::fs;

use crate::world::World;

/// Everything that only looks.
const LOOKS: &[&[&str]] = &[
    &["queue"],
    &["pipeline", "list"],
    &["pipeline", "show", "IT-001"],
    &["pipeline", "show", "IT-001", "--why", "-v"],
    &["pipeline", "graph", "IT-001"],
    &["decisions", "list", "--all"],
    &["outbox", "list", "--state", "all"],
    &["events"],
    &["logs", "IT-001"],
    &["doctor"],
    &["agents", "list"],
    &["export", "IT-001"],
];

/// Writes over words in the database: no SQL here, and what is written is as long as what stood there.
fn write_over(world: &World, words: &str, others: &str) {
    assert_eq!(words.len(), others.len());
    let database = world.gatewright.data_dir().join("gatewright.db");
    let mut bytes = fs::read(&database).unwrap();
    let mut at = 0;
    while let Some(found) =
        bytes[at..].windows(words.len()).position(|part| part == words.as_bytes())
    {
        bytes[at + found..at + found + words.len()].copy_from_slice(others.as_bytes());
        at += found + words.len();
    }
    assert!(at > 0, "`{words}` is not in the database");
    fs::write(&database, bytes).unwrap();
}

fn assert_harmless(world: &World) -> String {
    let mut all = String::new();
    for arguments in LOOKS {
        let told = world.call(arguments);
        let words = format!("{}{}", told.stdout, told.stderr);
        assert!(!words.contains('\u{1b}'), "{arguments:?}: {words:?}");
        all.push_str(&words);
    }
    all
}

/// Texts of documents, a column of plain text, and a document that cannot be read for it.
#[test]
fn control_characters_in_what_is_remembered_are_shown_and_not_obeyed() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    let script = format!(
        "printf 'said \\033[2Jthis\\n'; printf 'cried \\033]0;x\\007\\n' >&2; echo s > {}; sleep 1000",
        started.path()
    );
    let destination = "[destinations.chat]\nkind = \"command\"\n\
        command = [\"sh\", \"-c\", \"printf 'no \\\\033[1mroom\\\\n' >&2; exit 67\"]\n";
    world.gatewright.configure_agent_with(&script, destination, "");
    let running = world.start();
    assert_eq!(started.listen().next(), "s");
    running.kill();
    drop(running.finish());
    // A process that ends in good order leaves everything in the database's own file.
    let paused = world.call(&["outbox", "deliver"]);
    assert_eq!(paused.code(), Some(0), "{paused:#?}");

    let queue = world.call(&["queue", "--json"]).json();
    let owner = queue["running"][0]["lease"]["owner"].as_str().expect("a lease").to_owned();
    write_over(&world, &owner, &format!("{}\u{1b}[5m", &owner[..owner.len() - 4]));
    write_over(&world, "\"Add a file\"", "\"Ad\\u001b[m\"");
    write_over(&world, "\"name\":\"tester\"", "\"name\":\"\\u001b\"");
    let shown = assert_harmless(&world);
    assert!(shown.contains(r"Ad\u{1b}[m"), "{shown}");
    assert!(shown.contains(r"\u{1b}[5m"), "{shown}");

    // Raw, it is no JSON any more: the row is damaged, and its words may be in the error.
    write_over(&world, "\\u001b", "\u{1b}[31m\u{7}");
    assert_harmless(&world);
}

#[test]
fn what_was_typed_is_said_again_harmlessly_and_in_short() {
    let world = World::of_agent("echo new > new.txt");
    assert_eq!(world.call(&["run", "Add a file"]).code(), Some(0));
    let file = world.gatewright.home().join("\u{1b}[31mred");
    let written = world.call(&["backup", file.as_str()]);
    assert_eq!(written.code(), Some(0), "{written:#?}");
    assert!(written.stdout.contains(r"\u{1b}[31mred: 1 pipelines"), "{written:#?}");
    assert!(!written.stdout.contains('\u{1b}'), "{written:#?}");

    let long = "x".repeat(100_000);
    for arguments in [["backup", &long], ["pipeline", &long]] {
        for more in [&[][..], &["--json"]] {
            let refused = world.call(&[&arguments, more].concat());
            assert!(!matches!(refused.code(), Some(0) | None), "{arguments:?}");
            assert!(refused.stderr.contains(&long[..200]), "{refused:#?}");
            assert!(refused.stderr.len() < 2_000, "{} bytes", refused.stderr.len());
        }
    }
}
