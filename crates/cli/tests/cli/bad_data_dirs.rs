//! Data directories that cannot be worked in.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
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
    let (world, started, end) = World::of_waiting_agent();
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

/// Changes what a database says of its schema: four bytes of its header.
fn set_schema(database: &Utf8Path, schema: i32) {
    let mut bytes = fs::read(database).unwrap();
    bytes[60..64].copy_from_slice(&schema.to_be_bytes());
    fs::write(database, bytes).unwrap();
}

/// Whatever lies in the place of the database, it is named, it says what to do, and nothing of it is changed.
#[test]
fn what_is_no_database_of_ours_is_named_and_left_alone() {
    type Wound = fn(&Utf8Path);
    let cases: [(Wound, &str, &str); 8] = [
        (|it| fs::write(it, "somebody's words ".repeat(500)).unwrap(), "is no database", "restore"),
        (
            |it| fs::write(it, &fs::read(it).unwrap()[..300]).unwrap(),
            "is damaged: it was cut short",
            " restore FILE --force`",
        ),
        (
            |it| fs::write(it, &fs::read(it).unwrap()[..9000]).unwrap(),
            "is damaged: it was cut short",
            " restore FILE --force`",
        ),
        (
            |it| {
                let bytes = fs::read(it).unwrap();
                fs::write(it, &bytes[..bytes.len() - 1]).unwrap();
            },
            "is damaged: its end is missing",
            " restore FILE --force",
        ),
        (|it| set_schema(it, 4000), "has schema 4000", "newer"),
        (|it| set_schema(it, -1), "its schema says -1", "restore"),
        (|it| set_schema(it, 0), "it has tables of its own, such as", "restore"),
        (
            |it| {
                fs::remove_file(it).unwrap();
                fs::create_dir(it).unwrap();
            },
            "is not a regular file",
            "restore",
        ),
    ];
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let database = world.gatewright.data_dir().join("gatewright.db");
    let whole = fs::read(&database).unwrap();
    for (wound, words, help) in cases {
        wound(&database);
        let wounded = fs::read(&database).ok();
        for arguments in [&RUN[..], &["pipeline", "list"]] {
            let finished = world.call(arguments);
            assert_error(&finished, 1, words, help);
        }
        let doctor = world.call(&["doctor"]);
        assert_eq!(doctor.code(), Some(1), "{doctor:#?}");
        assert!(doctor.stdout.contains(words), "`{words}`: {doctor:#?}");
        assert_eq!(fs::read(&database).ok(), wounded, "{words}: it was changed");
        if database.is_dir() {
            fs::remove_dir(&database).unwrap();
        }
        fs::write(&database, &whole).unwrap();
    }
    assert_eq!(world.call(&["pipeline", "list"]).code(), Some(0), "what was put back is whole");
}

/// A database that is gone is not a new beginning: its mirrors would be taken for nobody's.
#[test]
fn a_lost_database_beside_work_is_no_new_data_directory() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let database = world.gatewright.data_dir().join("gatewright.db");
    let backup = world.gatewright.home().join("it.backup");
    assert_eq!(world.call(&["backup", backup.as_str()]).code(), Some(0));
    fs::remove_file(&database).unwrap();
    for (empty, how) in [(false, "missing"), (true, "empty")] {
        if empty {
            fs::write(&database, "").unwrap();
        }
        for arguments in [&RUN[..], &["pipeline", "list"], &["pipeline", "cancel", "IT-001"]] {
            let words =
                format!("{database} is {how}, and beside it is what only it can tell of: mirrors/");
            assert_error(&world.call(arguments), 1, &words, "put the database back");
        }
        let doctor = world.call(&["doctor"]);
        assert_eq!(doctor.code(), Some(1), "{doctor:#?}");
        assert!(doctor.stdout.contains("restore FILE --force"), "{doctor:#?}");
        assert_eq!(database.exists(), empty, "no new one was made");
    }
    let restored = world.call(&["restore", backup.as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    let listed = world.call(&["pipeline", "list", "--json"]);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(1), "{listed:#?}");
}

/// A first start that was killed leaves an empty file, and that is no reason to refuse the second.
#[test]
fn an_empty_database_with_nothing_beside_it_is_a_beginning() {
    let world = World::of_agent("echo new > new.txt");
    let data_dir = world.gatewright.data_dir();
    fs::create_dir_all(&data_dir).unwrap();
    fs::write(data_dir.join("gatewright.db"), "").unwrap();
    let listed = world.call(&["pipeline", "list"]);
    assert_error(&listed, 1, "nothing was started there yet", "");
    let told = world.deliver();
    world.assert_merged(&told);
}

#[test]
fn a_database_that_may_not_be_read_is_named_with_what_is_in_the_way() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let database = world.gatewright.data_dir().join("gatewright.db");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o000)).unwrap();
    // A user of its own, so that not even root may.
    let list = world.gatewright.command(world.dir(), &["pipeline", "list"]);
    let mut nobody = Command::new("unshare");
    nobody.args(["--user", "--map-user=1000", "--map-group=1000", "--"]).arg(list.get_program());
    nobody.args(list.get_args()).current_dir(world.dir()).env_clear();
    nobody.envs(list.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let refused = Running::start(&mut nobody).finish();
    assert_error(&refused, 1, "cannot be opened: its permissions", "the right to read and write");
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

/// The system ends a process that writes beyond it, unless that process will not have it so.
#[test]
fn a_limit_on_the_length_of_files_is_told_and_costs_nothing() {
    let world = World::of_agent("echo new > new.txt");
    assert_eq!(world.call(&RUN).code(), Some(0));
    let script = "exec prlimit --fsize=204800 -- \"$@\"";
    let mut command = world.gatewright.command_in_namespace(world.dir(), script, &RUN);
    let finished = Running::start(&mut command).finish();
    let error =
        "gatewright.db cannot grow: no file of this process may be longer than 204800 bytes";
    assert_error(&finished, 1, error, "`ulimit -f unlimited` lifts the limit");
    assert_eq!(finished.stderr.matches("cannot grow").count(), 1, "it is said once: {finished:#?}");
    let resumed = world.call(&["run", "--resume", "all", "--json"]);
    assert_eq!(resumed.code(), Some(0), "{resumed:#?}");
    assert_eq!(resumed.json_lines()[0]["status"], "succeeded", "{resumed:#?}");
}

/// It keeps git from being started, which is installed all the same.
#[test]
fn a_limit_on_open_files_is_told_with_what_lifts_it() {
    let world = World::of_agent("echo new > new.txt");
    let program = env!("CARGO_BIN_EXE_gatewright");
    for files in [10, 16] {
        let script = format!("ulimit -n {files}; exec {program} run 'Add a file'");
        let finished = Running::start(&mut world.gatewright.shell(world.dir(), &script)).finish();
        assert_error(&finished, 1, "Too many open files", "`ulimit -n` shows and sets the limit");
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

/// A world in which something small can be mounted over the data directory.
fn beside_a_small_disk() -> (World, Utf8PathBuf) {
    let world = World::new();
    world.gatewright.configure_agent_with(
        "echo new > new.txt",
        "",
        "sandbox.backend = \"process\"",
    );
    let data_dir = world.gatewright.data_dir();
    fs::create_dir_all(&data_dir).unwrap();
    (world, data_dir)
}

/// It waits for room, which may come; it does not wait in silence.
#[test]
fn a_disk_that_is_nearly_full_is_told_at_once_with_how_to_go_on() {
    let (world, data_dir) = beside_a_small_disk();
    let script = format!("mount -t tmpfs -o size=100m none {data_dir} && exec \"$@\"");
    let mut command = world.gatewright.command_in_namespace(world.dir(), &script, &RUN);
    let running = Running::start(&mut command);
    let told = running.wait_for("jobs wait: ");
    assert!(told.contains("MiB free, and 200 MiB are needed"), "{told}");
    running.wait_for("Ctrl-C is safe");
    running.signal("INT");
    let finished = running.finish();
    assert_eq!(finished.code(), Some(130), "{finished:#?}");
    assert!(finished.stdout.contains("run --resume"), "{finished:#?}");
    world.assert_untouched();
}

/// Asked from beside the process that waits, as a person would.
#[test]
fn who_asks_why_is_told_what_this_machine_lacks() {
    let (world, data_dir) = beside_a_small_disk();
    let script = format!(
        "mount -t tmpfs -o size=100m none {data_dir} || exit 9
         \"$@\" & at_work=$!
         until \"$1\" pipeline show IT-001 --why 2> {data_dir}/said | grep 'MiB are needed'; do kill -0 $at_work || exit 8; done
         \"$1\" pipeline show IT-001 --why --json | grep -A1 '\"held\"'
         kill -TERM $at_work; wait $at_work"
    );
    let mut command = world.gatewright.command_in_namespace(world.dir(), &script, &RUN);
    let told = Running::start(&mut command).finish();
    assert_eq!(told.code(), Some(130), "{told:#?}");
    assert_eq!(told.stdout.matches("MiB are needed").count(), 2, "{told:#?}");
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
        &["events"],
    ] {
        let told = world.call(arguments);
        assert_eq!(told.code(), Some(0), "{arguments:?}: {told:#?}");
        assert_ne!(told.stderr, "", "{arguments:?}");
        let told = world.call(&[arguments, &["--json"]].concat());
        assert_eq!(told.code(), Some(0), "{arguments:?}: {told:#?}");
        if arguments[0] == "events" {
            assert_eq!(told.stdout, "", "an object a line, and none: {told:#?}");
        } else if arguments[0] != "queue" {
            assert_eq!(told.json(), serde_json::json!([]), "{arguments:?}");
        }
    }
    assert!(!world.gatewright.data_dir().exists());
}
