//! Configurations and definitions that are wrong: named with file, line and what to write in their place.

use testkit::{
    gatewright::{Finished, Gatewright, Running},
    repository::Repository,
};

use crate::world::{World, assert_error, assert_nothing_was_begun, gatewright};

fn assert_says(finished: &Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(2), "{finished:#?}");
    for word in words {
        assert!(finished.stderr.contains(word), "`{word}` is not in:\n{}", finished.stderr);
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    let world = World::new();
    world.repository.file("gatewright.toml", "agent = \"claude\"\n[limits]\nmax_concurency = 2\n");
    let finished = world.call(&["run", "Add a file"]);
    assert_says(&finished, &["gatewright.toml", "max_concurency", "`max_concurrency`", "3"]);
    assert!(!world.gatewright.data_dir().exists());
}

#[test]
fn a_configuration_that_is_named_and_missing_is_an_error() {
    let world = World::of_agent("echo new > new.txt");
    let finished = world.call(&["run", "Add a file", "--config", "nowhere.toml"]);
    assert_says(&finished, &["error: ", "nowhere.toml"]);
}

fn which(gatewright: &Gatewright, program: &str) -> String {
    let output =
        gatewright.shell(&gatewright.home(), &format!("command -v {program}")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn an_agent_whose_program_is_missing_is_an_error_before_anything_begins() {
    let world = World::new();
    world.gatewright.configure("agent = \"it\"\ngates.tests.run = \"true\"\n[agents.it]\nkind = \"command\"\ncommand = [\"/nowhere/agent\"]\n");
    assert_error(
        &world.call(&["run", "Add a file"]),
        1,
        "/nowhere/agent",
        "install it, or name another agent",
    );
    // A search path with git alone.
    let git = which(&world.gatewright, "git");
    let bin = world.gatewright.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(git, bin.join("git")).unwrap();
    let mut command =
        world.gatewright.command(world.dir(), &["run", "Add a file", "--agent", "claude"]);
    command.env("PATH", &bin);
    assert_error(
        &Running::start(&mut command).finish(),
        1,
        "`claude`",
        "npm install -g @anthropic-ai/claude-code",
    );
    world.assert_nothing_was_begun();
}

#[test]
fn an_agent_that_nobody_knows_is_refused_with_those_that_are_known() {
    let world = World::of_agent("echo new > new.txt");
    assert_error(&world.call(&["run", "Add a file", "--agent", "clod"]), 2, "`clod`", "claude");
    world.assert_nothing_was_begun();
}

#[test]
fn a_secret_that_is_not_set_is_named() {
    let world = World::of_agent_with("echo new > new.txt", "env_from = [\"MODEL_KEY\"]");
    assert_error(&world.call(&["run", "Add a file"]), 1, "`MODEL_KEY`", "export MODEL_KEY=");
    world.assert_nothing_was_begun();
}

#[test]
fn without_a_way_to_test_the_work_nothing_begins() {
    let (gatewright, repository) = (gatewright(), Repository::empty());
    repository.file("notes.txt", "nothing here says how it is tested\n").commit("begin");
    gatewright
        .configure("agent = \"it\"\n[agents.it]\nkind = \"command\"\ncommand = [\"/bin/true\"]\n");
    assert_error(&gatewright.run(repository.path(), &["run", "Add a file"]), 2, "tests", "--check");
    assert_nothing_was_begun(&gatewright);
}

/// What is said about a definition in the repository.
fn define(text: &str) -> (World, Finished) {
    let world = World::of_agent("echo new > new.txt");
    world.repository.file(".gatewright/pipelines/mine.toml", format!("name = \"mine\"\n{text}"));
    world.repository.commit("define a pipeline");
    let finished = world.call(&["run", "Add a file", "--pipeline", "mine"]);
    (world, finished)
}

#[test]
fn a_stage_that_nothing_leads_to_is_refused_at_load() {
    let (world, finished) = define(
        "[[stage]]\nname = \"first\"\nroles = [\"solo\"]\n[[stage]]\nname = \"lonely\"\nroles = [\"solo\"]\n",
    );
    assert_says(&finished, &["mine.toml", "lonely"]);
    world.assert_nothing_was_begun();
}

#[test]
fn a_cycle_without_an_end_is_refused_at_load() {
    let (world, finished) = define(
        "[[stage]]\nname = \"first\"\nroles = [\"solo\"]\non_pass = \"second\"\n\
         [[stage]]\nname = \"second\"\nroles = [\"solo\"]\non_pass = \"first\"\n",
    );
    assert_says(&finished, &["mine.toml", "first", "second"]);
    world.assert_nothing_was_begun();
}

#[test]
fn a_role_that_nobody_knows_is_refused_with_the_nearest_one() {
    let (world, finished) = define("[[stage]]\nname = \"first\"\nroles = [\"revewer\"]\n");
    assert_says(&finished, &["mine.toml", "revewer", "reviewer"]);
    world.assert_nothing_was_begun();
}

#[test]
fn a_definition_that_nobody_knows_is_refused() {
    let world = World::of_agent("echo new > new.txt");
    let finished = world.call(&["run", "Add a file", "--pipeline", "solow"]);
    assert_says(&finished, &["error: ", "solow", "solo"]);
    world.assert_nothing_was_begun();
}
