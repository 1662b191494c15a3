//! Repositories that no work can start from, and those that look like it.

use std::fs;

use testkit::repository::Repository;

use crate::world::{Told, World, assert_error, assert_nothing_was_begun, gatewright};

const RUN: [&str; 2] = ["run", "Add a file"];

#[test]
fn a_directory_that_is_no_repository_is_refused() {
    let gatewright = gatewright();
    assert_error(
        &gatewright.run(&gatewright.home(), &RUN),
        2,
        gatewright.home().as_str(),
        "git init",
    );
    assert_nothing_was_begun(&gatewright);
}

#[test]
fn a_directory_that_does_not_exist_is_named() {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["run", "Add a file", "--repo", "nowhere"]);
    assert_eq!(finished.code(), Some(2), "{finished:#?}");
    assert!(finished.stderr.contains("home/nowhere"), "{finished:#?}");
}

#[test]
fn a_repository_without_a_commit_is_refused() {
    let (gatewright, repository) = (gatewright(), Repository::empty());
    assert_error(
        &gatewright.run(repository.path(), &RUN),
        2,
        "has no commit",
        "git commit --allow-empty",
    );
    assert_nothing_was_begun(&gatewright);
}

#[test]
fn a_dirty_tree_is_warned_about_and_stays_as_it_is() {
    let world = World::of_agent("echo new > new.txt; cat greet.sh > seen.txt");
    world.repository.file("greet.sh", "half an edit").file("notes.txt", "mine\n");
    let before = world.repository.git(&["status", "--porcelain"]);
    let told = Told::of(&world.call(&["run", "Add a file", "--json"]));
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    assert!(told.stderr.contains("warning: 2 paths have uncommitted changes"), "{told:#?}");
    assert_eq!(world.repository.git(&["status", "--porcelain"]), before);
    assert_eq!(fs::read_to_string(world.dir().join("greet.sh")).unwrap(), "half an edit");
    let branch = told.text("branch");
    assert!(world.repository.show(&format!("{branch}:seen.txt")).starts_with("#!/bin/sh"));
    assert!(!world.repository.git(&["ls-tree", "--name-only", branch]).contains("notes.txt"));
}

#[test]
fn a_merge_over_uncommitted_changes_of_the_same_file_does_not_touch_them() {
    let world = World::of_agent("echo '# theirs' >> greet.sh");
    world.repository.file("greet.sh", "half an edit");
    let told = world.deliver();
    assert_eq!(fs::read_to_string(world.dir().join("greet.sh")).unwrap(), "half an edit");
    assert_eq!(world.repository.git(&["status", "--porcelain"]).trim(), "M greet.sh", "{told:#?}");
    // Either way is right, as long as it is said which one it was.
    match told.text("status") {
        "succeeded" => {
            assert_eq!(world.repository.head("main").to_string(), told.text("merged_commit"));
        }
        _ => told.assert_blocked("greet.sh"),
    }
}

#[test]
fn a_detached_head_needs_a_target() {
    let world = World::of_agent("echo new > new.txt");
    world.repository.git(&["checkout", "--quiet", "--detach"]);
    assert_error(&world.call(&RUN), 2, "is detached", "--target BRANCH");
    world.assert_nothing_was_begun();
    let told = Told::of(&world.call(&["run", "Add a file", "--target", "main", "--json"]));
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
}

#[test]
fn a_target_that_is_not_there_is_refused_with_those_that_are() {
    let world = World::of_agent("echo new > new.txt");
    assert_error(&world.call(&["run", "Add a file", "--target", "mian"]), 2, "`mian`", "main");
    world.assert_nothing_was_begun();
}

#[test]
fn a_branch_name_that_would_escape_its_directory_is_refused() {
    let world = World::of_agent("echo new > new.txt");
    for name in ["../../../etc/passwd", "feature/../../x", "-f", "a..b", "refs/heads/x.lock", "a b"]
    {
        let finished = world.call(&["run", "Add a file", &format!("--target={name}")]);
        assert_eq!(finished.code(), Some(2), "{finished:#?}");
        assert!(finished.stderr.contains(name), "{finished:#?}");
    }
    world.assert_nothing_was_begun();
}

#[test]
fn a_repository_in_a_path_with_spaces_and_quotes_is_as_good_as_any() {
    let world = World::of_agent("echo new > new.txt");
    let odd = world.gatewright.home().join("it's a \"dir\" – ü");
    world.repository.git(&["clone", "--quiet", ".", odd.as_str()]);
    let told = Told::of(&world.gatewright.run(&odd, &["run", "Add a file", "--json"]));
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
}
