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
    world.gatewright.configure_agent(&format!("echo started > {}; read now < {}; echo new > new.txt", started.path(), end.path()));
    let first = world.start();
    assert_eq!(started.listen().next(), "started");
    assert_error(&world.call(&RUN), 1, "`gatewright run`", "--data-dir");
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
    assert_error(&call_on_mount(&world, "ro", &RUN), 1, world.gatewright.data_dir().as_str(), "--data-dir");
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

/// From a disk with no room at all to one that is full in the middle of the work.
#[test]
fn a_full_disk_is_named_and_delivers_nothing_half() {
    for size in ["size=4k", "size=200k", "size=600k", "size=1200k"] {
        let world = World::of_agent("head -c 3000000 /dev/urandom > big.bin; git add . && git commit -qm big");
        let finished = call_on_mount(&world, size, &["run", "Add a file", "--merge"]);
        assert!(matches!(finished.code(), Some(1 | 3)), "{size}: {finished:#?}");
        let all = format!("{}{}", finished.stdout, finished.stderr);
        assert!(["is full", "No space left", "no space left"].iter().any(|words| all.contains(words)), "{size}: {finished:#?}");
        world.assert_untouched();
    }
}
