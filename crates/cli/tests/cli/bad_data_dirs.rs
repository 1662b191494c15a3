//! Data directories that cannot be worked in.

use std::fs;

use testkit::gatewright::{Finished, Running};

use crate::world::{Told, World, assert_error};

const RUN: [&str; 2] = ["run", "Add a file"];

/// A call whose data directory is a file system of its own: mounted so, and filled by `fill`.
fn call_on_mount(world: &World, options: &str, arguments: &[&str]) -> Finished {
    let data_dir = world.gatewright.data_dir();
    fs::create_dir_all(&data_dir).unwrap();
    let script = format!("mount -t tmpfs -o {options} none {data_dir} && exec \"$@\"");
    let mut command = world.gatewright.command_in_namespace(world.dir(), &script, arguments);
    Running::start(&mut command).finish()
}

#[test]
fn a_second_process_is_told_who_holds_the_data_directory() {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo started > {}; read now < {}; echo new > new.txt",
        started.path(),
        end.path()
    ));
    let first = world.start();
    assert_eq!(started.listen().next(), "started");
    let refused = world.call(&RUN);
    assert_error(&refused, 1, "`gatewright run`", "one process at a time");
    let since = "`gatewright run`, since 2";
    assert!(
        refused.stderr.contains("in use by pid ") && refused.stderr.contains(since),
        "{refused:#?}"
    );
    assert!(refused.stderr.contains("waiting for it, at most 2 s"), "{refused:#?}");
    // Looking is always possible.
    let listed = world.call(&["pipeline", "list", "--json"]);
    assert_eq!(listed.code(), Some(0), "{listed:#?}");
    end.ring();
    let told = Told::of(&first.finish());
    world.assert_merged(&told);
}

#[test]
fn a_read_only_data_directory_is_named() {
    let world = World::of_agent("echo new > new.txt");
    assert_error(
        &call_on_mount(&world, "ro", &RUN),
        1,
        world.gatewright.data_dir().as_str(),
        "--data-dir",
    );
    world.assert_untouched();
}

#[test]
fn a_file_in_the_place_of_the_data_directory_is_named_and_kept() {
    let world = World::of_agent("echo new > new.txt");
    let data_dir = world.gatewright.data_dir();
    fs::write(&data_dir, "mine\n").unwrap();
    assert_error(&world.call(&RUN), 1, data_dir.as_str(), "--data-dir");
    assert_eq!(fs::read_to_string(&data_dir).unwrap(), "mine\n");
}

#[test]
fn a_database_of_a_newer_version_is_not_touched() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let database = world.gatewright.data_dir().join("gatewright.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[..16].copy_from_slice(b"not a database!\n");
    fs::write(&database, &bytes).unwrap();
    let finished = world.call(&RUN);
    assert_eq!(finished.code(), Some(1), "{finished:#?}");
    assert!(finished.stderr.contains("error: "), "{finished:#?}");
    assert_eq!(fs::read(&database).unwrap(), bytes);
}

/// Too small for the database, and for the mirror.
#[test]
fn a_full_disk_is_named_before_anything_begins() {
    for size in ["size=4k", "size=200k"] {
        let world = World::of_agent("echo new > new.txt");
        let finished = call_on_mount(&world, size, &RUN);
        assert_eq!(finished.code(), Some(1), "{size}: {finished:#?}");
        let is_named = ["the disk is full", "No space left on device"]
            .iter()
            .any(|words| finished.stderr.contains(words));
        assert!(
            is_named && finished.stderr.contains("help: free some space"),
            "{size}: {finished:#?}"
        );
        world.assert_untouched();
    }
}

#[test]
fn work_goes_on_as_soon_as_a_full_disk_has_room_again() {
    let world = World::of_agent("head -c 4000000 /dev/urandom > big.bin");
    let more = world.gatewright.bell("more");
    let data_dir = world.gatewright.data_dir();
    fs::create_dir(&data_dir).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=3m none {data_dir}
         \"$@\" & read now < {}; mount -o remount,size=1g {data_dir}; wait $!",
        more.path()
    );
    let arguments = ["run", "Add a file", "--merge", "--json"];
    let running = Running::start(&mut world.gatewright.command_in_namespace(
        world.dir(),
        &script,
        &arguments,
    ));
    running.wait_for("MiB are needed to start anything");
    more.ring();
    let told = Told::of(&running.finish());
    world.assert_merged(&told);
    assert_eq!(world.repository.git(&["cat-file", "-s", "main:big.bin"]), "4000000");
}

/// Looking is no mistake, whenever it is done.
#[test]
fn before_the_first_run_lists_are_empty_and_nothing_is_made() {
    let world = World::of_agent("echo new > new.txt");
    for arguments in [
        &["queue"][..],
        &["pipeline", "list"],
        &["decisions"],
        &["decisions", "list"],
        &["outbox"],
        &["outbox", "list", "--state", "all"],
    ] {
        let told = world.call(arguments);
        assert_eq!(told.code(), Some(0), "{arguments:?}: {told:#?}");
        assert_ne!(told.stderr, "", "{arguments:?}");
        let told = world.call(&[arguments, &["--json"]].concat());
        assert_eq!(told.code(), Some(0), "{arguments:?}: {told:#?}");
        if arguments[0] != "queue" {
            assert_eq!(told.json(), serde_json::json!([]), "{arguments:?}");
        }
    }
    assert!(!world.gatewright.data_dir().exists());
}
