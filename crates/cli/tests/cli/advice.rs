//! What is wrong with what was typed, and the command that helps: one that can be typed as it stands.

use std::fs;

use camino::Utf8Path;
use testkit::gatewright::Running;

use crate::world::{World, assert_error};

/// An error of `arguments` against a data directory that is named on the command line.
fn assert_advised(world: &World, arguments: &[&str], error: &str, command: &str) {
    let refused = world.call(&[&["--data-dir", "tests/../it's here"], arguments].concat());
    let code = if error.contains("is named") { 2 } else { 1 };
    let dir = world.dir().join("it's here");
    let quoted = dir.as_str().replace('\'', r"'\''");
    assert_error(&refused, code, error, &format!("--data-dir '{quoted}' {command}`"));
}

#[test]
fn what_is_advised_finds_the_same_data_again() {
    let world = World::of_agent("echo new > new.txt");
    let delivered = world.call(&["--data-dir", "it's here", "run", "Add a file", "--merge"]);
    assert_eq!(delivered.code(), Some(0), "{delivered:#?}");
    for (arguments, error, command) in [
        (&["pipeline", "show", "nope"][..], "there is no pipeline `nope`", "pipeline list"),
        (&["pipeline", "show", ""], "no pipeline is named", "pipeline list"),
        (&["logs", " "], "no pipeline is named", "pipeline list"),
        (&["approve", ""], "no question is named", "decisions"),
        (&["approve", "dec_0"], "there is no question `dec_0`", "decisions"),
        (&["approve", "IT-001"], "IT-001 waits for no answer", "pipeline show IT-001"),
        (&["outbox", "show", ""], "no letter is named", "outbox list --state all"),
        (&["restore", "nofile.tar"], "could not read", "backup"),
    ] {
        assert_advised(&world, arguments, error, command);
    }
}

/// A repository may say itself where its data is, which nobody finds from elsewhere.
#[test]
fn what_is_advised_names_a_data_directory_that_only_the_repository_knows() {
    let world = World::of_agent("echo new > new.txt");
    let home = world.gatewright.home();
    let users = home.join(".config/gatewright/gatewright.toml");
    let text = fs::read_to_string(&users).unwrap();
    fs::remove_file(users).unwrap();
    let data_dir = home.join("its data");
    world.repository.file("gatewright.toml", format!("data_dir = \"{data_dir}\"\n{text}"));
    world.repository.commit("configure");
    let call = |dir: &Utf8Path, arguments: &[&str]| {
        let mut command = world.gatewright.command(dir, arguments);
        Running::start(command.env_remove("GATEWRIGHT_DATA_DIR")).finish()
    };
    let advised = format!("--data-dir '{data_dir}' pipeline ");
    let ran = call(&home, &["run", "Add a file", "--merge", "--repo", world.dir().as_str()]);
    assert_eq!(ran.code(), Some(0), "{ran:#?}");
    assert!(ran.stdout.contains(&advised), "{ran:#?}");
    let refused = call(world.dir(), &["pipeline", "show", "nope"]);
    assert_error(&refused, 1, "there is no pipeline `nope`", &advised);
    let shown = call(&home, &["--data-dir", data_dir.as_str(), "pipeline", "show", "IT-001"]);
    assert_eq!(shown.code(), Some(0), "{shown:#?}");
}

#[test]
fn more_words_than_anybody_reads_are_refused_and_change_nothing() {
    let world = World::of_agent("exit 3");
    world.deliver().assert_blocked("exited with code 3");
    let words = "x".repeat(64 * 1024 + 1);
    for command in [
        &["pipeline", "cancel", "IT-001", "--reason"][..],
        &["pipeline", "retry", "IT-001", "--comment"],
        &["decisions", "resolve", "IT-001", "--choice", "retry", "--comment"],
    ] {
        let refused = world.call(&[command, &[words.as_str()]].concat());
        assert_error(&refused, 2, "have 65537 bytes, at most 65536 fit", "say less");
    }
    let shown = world.call(&["pipeline", "show", "IT-001", "--json"]).json();
    assert_eq!(shown["pipeline"]["status"], "blocked", "{shown:#}");
}

/// The names of branches are other people's words, and stand in the help.
#[test]
fn other_peoples_words_in_a_help_line_are_shown_and_not_obeyed() {
    let world = World::of_agent("echo new > new.txt");
    world.repository.git(&["branch", "a\u{202e}b"]);
    let refused = world.call(&["run", "Add a file", "--target", "nowhere"]);
    assert_error(&refused, 2, "has no branch `nowhere`", r"a\u{202e}b");
}

/// The configuration's word wins over the definition's, which nobody sees from the definition.
#[test]
fn a_command_that_the_configuration_has_in_place_of_the_definitions_is_told() {
    let mut world = World::of_agent("echo new > new.txt");
    let gates = "gates = [{ name = \"tests\", kind = \"command\", run = \"tests/other.sh\" }]";
    world.define("own", gates);
    let told = world.deliver_with(&["--pipeline", "own"]);
    world.assert_merged(&told);
    let words = "gate tests runs `tests/run.sh`, as [gates] in gatewright.toml has it, not `tests/other.sh` of the definition";
    assert!(told.stderr.contains(words), "{told:#?}");
    let told = world.deliver_with(&["--pipeline", "own", "--check", "true"]);
    assert!(!told.stderr.contains("[gates]"), "who names it knows: {told:#?}");
}
