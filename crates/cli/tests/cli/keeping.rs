//! `backup` and `restore`: while work is under way, after a kill at any moment, and with files that are no backup.

use std::{
    collections::BTreeSet,
    fs,
    process::{Child, Command},
};

use camino::{Utf8Path, Utf8PathBuf};
use testkit::gatewright::{Finished, Running};

use crate::world::{Told, World, assert_error};

/// The backup file of a world.
fn file(world: &World) -> Utf8PathBuf {
    world.gatewright.home().join("gatewright.backup")
}

fn back_up(world: &World) -> Finished {
    let finished = world.call(&["backup", file(world).as_str(), "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    finished
}

/// What is in the directory of a backup that was not there before.
fn left_beside(file: &Utf8Path) -> Vec<String> {
    let entries = file.parent().unwrap().read_dir_utf8().unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.retain(|name| name.starts_with("gatewright.backup"));
    names.sort();
    names
}

/// The story: the machine is lost in the middle of the work, and the work goes on from the backup.
#[test]
fn a_backup_made_while_work_is_under_way_delivers_what_that_work_would_have() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::of_agent("echo new > new.txt");
    let (judging, go_on) = (world.gatewright.bell("judging"), world.gatewright.bell("go-on"));
    let check =
        format!("echo judging > {}; read now < {}; tests/run.sh", judging.path(), go_on.path());
    let arguments = ["run", "Add a file", "--merge", "--json", "--check", &check];
    let running = world.gatewright.start(world.dir(), &arguments);
    let judging = judging.listen();
    assert_eq!(judging.next(), "judging");

    let backup = back_up(&world).json();
    assert_eq!(
        (&backup["pipelines"], &backup["mirrors"]),
        (&1.into(), &serde_json::json!(["IT"])),
        "{backup:#}"
    );
    let mode = fs::metadata(file(&world)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(left_beside(&file(&world)), ["gatewright.backup"]);

    running.kill();
    drop(running.finish());
    let briefs = world.briefs().len();
    fs::rename(world.gatewright.data_dir(), world.gatewright.home().join("lost")).unwrap();
    world.assert_untouched();

    let restored = world.call(&["restore", file(&world).as_str(), "--json"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    assert_eq!(restored.json()["unfinished"][0]["item"], "IT-001", "{restored:#?}");
    let resumed = world.resume();
    (0..3).for_each(|_| go_on.ring());
    let told = Told::of(&resumed.finish());
    world.assert_merged(&told);
    assert_eq!(briefs, 1);
    assert!(!world.gatewright.data_dir().join("runs").exists(), "the agent had done its part");
}

/// An agent that was at work when the backup was made is gone: its job begins anew, and costs no attempt.
#[test]
fn what_an_agent_was_doing_begins_anew_after_a_restore() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!(
        "echo \"run $GATEWRIGHT_RUN\" > work.txt; echo started > {}; sleep 1000",
        started.path()
    ));
    let running = world.start();
    let started = started.listen();
    assert_eq!(started.next(), "started");
    back_up(&world);
    running.signal("INT");
    drop(running.finish());
    fs::rename(world.gatewright.data_dir(), world.gatewright.home().join("lost")).unwrap();

    let restored = world.call(&["restore", file(&world).as_str()]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    world.gatewright.configure_agent("echo \"run $GATEWRIGHT_RUN\" > work.txt");
    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
    let shown = world.call(&["pipeline", "show", "IT-001", "--json"]).json();
    assert_eq!(shown["pipeline"]["attempt"], serde_json::Value::Null, "{shown:#}");
    let attempts: Vec<_> =
        shown["timeline"].as_array().unwrap().iter().map(|it| &it["attempt"]).collect();
    assert!(attempts.iter().all(|attempt| **attempt == 1), "{shown:#}");
}

/// F4 (what is restored takes the old one for alive, under the same name): it is stopped, nothing that it does reaches the
/// restored work, and that is done by a run of its own.
#[test]
fn a_forced_restore_stops_agents_that_are_alive_and_never_meets_them_again() {
    let world = World::new();
    let started = world.gatewright.bell("started");
    world.gatewright.configure_agent(&format!(
        "echo \"run $GATEWRIGHT_RUN\" > work.txt; echo \"$GATEWRIGHT_RUN\" > {}; sleep 1000",
        started.path()
    ));
    let running = world.start();
    let first = started.listen().next();
    back_up(&world);
    running.kill();
    drop(running.finish());
    let its_run = BTreeSet::from([first.clone()]);
    assert_eq!(world.gatewright.runs_at_work(), its_run, "an agent outlives its orchestrator");

    fs::write(world.gatewright.home().join("words"), "no backup").unwrap();
    let words = world.gatewright.home().join("words");
    let refused = world.call(&["restore", words.as_str(), "--force"]);
    assert_error(&refused, 1, "it is no backup", "nothing was changed");
    assert_eq!(world.gatewright.runs_at_work(), its_run, "a slip of the finger stops nobody");

    let restored = world.call(&["restore", file(&world).as_str(), "--force", "--json"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    assert_eq!(restored.json()["stopped"], 1, "{restored:#?}");
    assert_eq!(world.gatewright.runs_at_work(), BTreeSet::new(), "it was stopped");
    world.gatewright.configure_agent("echo \"run $GATEWRIGHT_RUN\" > work.txt");
    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
    let work = world.repository.git(&["show", "main:work.txt"]);
    assert!(work.starts_with("run ") && !work.contains(&first), "{first}: {work}");
}

/// A process in a session of its own.
struct Bystander(Child);

impl Bystander {
    fn new() -> Self {
        Self(Command::new("setsid").args(["sleep", "1000"]).spawn().expect("util-linux"))
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A gate's checkout is what an agent committed, and its home what a command wrote: files with the names of our records in
/// them say nothing, and are no reason to kill anybody or to restore nothing.
#[test]
fn a_restore_takes_no_file_of_an_agent_for_a_record() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    back_up(&world);
    let mut bystander = Bystander::new();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let running = serde_json::json!({
        "boot": boot.trim(),
        "shim": { "pid": 1, "start": 0 },
        "others": [],
        "session": bystander.0.id(),
    });
    let gates = world.gatewright.data_dir().join("gates");
    let hostile = gates.join("job_1/checkout");
    fs::create_dir_all(&hostile).unwrap();
    fs::write(hostile.join("started"), "").unwrap();
    fs::write(hostile.join("pid.json"), running.to_string()).unwrap();
    let ordinary = gates.join("job_2/checkout");
    fs::create_dir_all(&ordinary).unwrap();
    fs::write(ordinary.join("exit.json"), "{}").unwrap();

    let restored = world.call(&["restore", file(&world).as_str(), "--force", "--json"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    assert_eq!(restored.json()["stopped"], 0, "{restored:#?}");
    assert!(!restored.stderr.contains("warning"), "{restored:#?}");
    assert_eq!(bystander.0.try_wait().unwrap(), None, "nobody had it stopped");
}

/// The remedy for damage must not be kept from anybody by damage.
#[test]
fn a_record_that_cannot_be_read_is_told_and_keeps_no_backup_from_being_restored() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    back_up(&world);
    let runs = world.gatewright.data_dir().join("runs");
    for run in ["run_1", "run_2"] {
        fs::create_dir_all(runs.join(run).join("agent")).unwrap();
    }
    fs::write(runs.join("run_1/agent/exit.json"), "{\"vers").unwrap();
    std::os::unix::fs::symlink("/dev/zero", runs.join("run_2/agent/exit.json")).unwrap();

    let restored = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    assert!(restored.stderr.contains("2 sandboxes could not be looked at"), "{restored:#?}");
    assert!(restored.stderr.contains("run_1"), "{restored:#?}");
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_and_nothing_in_the_way_of_the_next() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    for _ in 0..5 {
        let backup = world.gatewright.start(world.dir(), &["backup", file(&world).as_str()]);
        backup.kill();
        drop(backup.finish());
        assert!(!file(&world).exists(), "it is whole or not there");
    }
    // What somebody else has there stays.
    let foreign = Utf8PathBuf::from(format!("{}.partial", file(&world)));
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("archive"), "mine").unwrap();
    back_up(&world);
    assert_eq!(left_beside(&file(&world)), ["gatewright.backup", "gatewright.backup.partial"]);
    assert_eq!(fs::read_to_string(foreign.join("archive")).unwrap(), "mine");
}

#[test]
fn a_backup_takes_the_place_of_another_file_only_if_told_so() {
    let world = World::of_agent("echo new > new.txt");
    let nothing = world.call(&["backup", file(&world).as_str()]);
    assert_error(&nothing, 1, "there is no database in", "");
    assert!(!world.gatewright.data_dir().exists(), "looking makes no directory");
    let told = world.deliver();
    world.assert_merged(&told);
    fs::write(file(&world), "precious").unwrap();
    let refused = world.call(&["backup", file(&world).as_str()]);
    assert_error(&refused, 1, "is there already", "--force");
    assert_eq!(fs::read_to_string(file(&world)).unwrap(), "precious");
    let forced = world.call(&["backup", file(&world).as_str(), "--force"]);
    assert_eq!(forced.code(), Some(0), "{forced:#?}");
    assert!(fs::read(file(&world)).unwrap().starts_with(b"gatewright-backup.json"));
}

/// Whatever gets a name takes the place of what has it: a device would be gone for everybody.
#[test]
fn nothing_but_the_place_of_a_regular_file_is_taken() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let place = world.gatewright.home().join("place");
    fs::create_dir(&place).unwrap();
    let at = |name: &str| place.join(name);
    fs::write(at("file"), "precious").unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    for (name, words, help) in [
        ("link", "link is no regular file: it is a symbolic link", "the file that it leads to"),
        ("pipe", "pipe is no regular file: it is a pipe", "name another file"),
        ("", "is a directory", "name a file"),
        ("none/file", "place/none is no directory that is there", "make it"),
    ] {
        let before = fs::symlink_metadata(at(name)).map(|it| it.file_type()).ok();
        let file = at(name);
        for arguments in [
            &["backup", file.as_str()][..],
            &["backup", "--force", file.as_str()],
            &["export", "IT-001", "-o", file.as_str()],
        ] {
            assert_error(&world.call(arguments), 2, words, help);
            let after = fs::symlink_metadata(&file).map(|it| it.file_type()).ok();
            assert_eq!(after, before, "{arguments:?}");
        }
    }
    assert_eq!(fs::read_to_string(at("file")).unwrap(), "precious");
    let exported = world.call(&["export", "IT-001", "-o", at("file").as_str()]);
    assert_eq!(exported.code(), Some(0), "{exported:#?}");
    let printed = world.call(&["export", "IT-001", "-o", "-"]);
    assert_eq!(printed.json()["format"], "gatewright-export", "{printed:#?}");
    assert!(!world.dir().join("-").exists());
}

#[test]
fn a_restore_refuses_what_is_in_use_and_what_is_no_backup() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    back_up(&world);
    let backup = file(&world);
    let bytes = fs::read(&backup).unwrap();
    assert_error(&world.call(&["restore", backup.as_str()]), 1, "was used before: `", "--force");

    let other = world.gatewright.home().join("other");
    let restore =
        |file: &Utf8Path| world.call(&["restore", file.as_str(), "--data-dir", other.as_str()]);
    let broken = world.gatewright.home().join("broken");
    for (what, content, words) in [
        ("something else", b"words ".repeat(1000), "it is no backup of gatewright"),
        ("half of it", bytes[..bytes.len() / 2].to_vec(), "it is damaged"),
        ("noise", vec![0xfe; 5000], "it does not begin as a tar archive does\n"),
        ("a short file", vec![0x1f, 0x8b], "it does not begin as a tar archive does\n"),
        (
            "a database",
            fs::read(world.gatewright.data_dir().join("gatewright.db")).unwrap(),
            "it is no backup",
        ),
    ] {
        fs::write(&broken, content).unwrap();
        let refused = restore(&broken);
        assert_eq!(refused.code(), Some(1), "{what}: {refused:#?}");
        assert!(refused.stderr.contains(words), "{what}: {refused:#?}");
        let left: Vec<_> =
            other.read_dir_utf8().unwrap().map(|it| it.unwrap().file_name().to_owned()).collect();
        assert_eq!(left, ["lock"], "{what}");
    }
    assert_eq!(restore(&backup).code(), Some(0), "what was refused left nothing in the way");
}

#[test]
fn a_forced_restore_keeps_what_was_there() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    back_up(&world);
    let second = Told::of(&world.call(&["run", "Add another file", "--json"]));
    assert_eq!(second.text("item"), "IT-002", "{second:#?}");
    let restored = world.call(&["restore", file(&world).as_str(), "--force", "--json"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    let listed = world.call(&["pipeline", "list", "--json"]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    let aside = restored.json()["kept_aside"].as_str().unwrap().to_owned();
    let listed = world.call(&["pipeline", "list", "--json", "--data-dir", &aside]).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed:#}");
}

#[test]
fn a_restore_that_is_killed_begins_nothing_and_can_be_done_again() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    back_up(&world);
    fs::rename(world.gatewright.data_dir(), world.gatewright.home().join("lost")).unwrap();
    for _ in 0..5 {
        let restore = world.gatewright.start(world.dir(), &["restore", file(&world).as_str()]);
        restore.kill();
        drop(restore.finish());
    }
    // Killed between its two halves: mirrors in place, the database not yet.
    let data_dir = world.gatewright.data_dir();
    fs::create_dir_all(data_dir.join("restoring")).unwrap();
    fs::create_dir_all(data_dir.join("mirrors/IT.git")).unwrap();
    let refused = world.call(&["run", "Add a file"]);
    assert_eq!(refused.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("half restored"), "{refused:#?}");
    let restored = world.call(&["restore", file(&world).as_str()]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    let shown = world.call(&["pipeline", "show", "IT-001", "--json"]);
    assert_eq!(shown.code(), Some(0), "{shown:#?}");
    assert!(!data_dir.join("restoring").exists());
    let again = Told::of(&world.resume().finish());
    world.assert_merged(&again);
}

#[test]
fn nobody_restores_over_a_process_that_is_at_work() {
    let (world, started, end) = World::of_waiting_agent();
    let running = world.start();
    assert_eq!(started.listen().next(), "started");
    back_up(&world);
    let refused = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_error(&refused, 1, "`gatewright run`", "one process at a time");
    end.ring();
    let told = Told::of(&running.finish());
    world.assert_merged(&told);
}

/// The state of everything must not be overwritten by a slip of the finger.
#[test]
fn nothing_is_written_into_the_data_directory_but_by_us() {
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    let database = world.gatewright.data_dir().join("gatewright.db");
    let beside = world.gatewright.data_dir().join("evidence/../new/x.json");
    for file in [&database, &beside] {
        for arguments in [["backup", "--force", file.as_str()], ["export", "IT-001", "--output"]] {
            let mut arguments = arguments.to_vec();
            if arguments[0] == "export" {
                arguments.push(file.as_str());
            }
            let refused = world.call(&arguments);
            assert_error(&refused, 2, "lies in the data directory", "elsewhere");
        }
    }
    let again = Told::of(&world.call(&["run", "--resume", told.text("pipeline"), "--json"]));
    world.assert_merged(&again);
}

/// Whoever cannot be backed up is told what helps, and no file appears that looks like a backup.
#[test]
fn a_backup_of_a_damaged_database_says_which_one_is_damaged_and_what_helps() {
    const PAGE: usize = 4096;
    let world = World::of_agent("echo new > new.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let database = world.gatewright.data_dir().join("gatewright.db");
    let whole = fs::read(&database).unwrap();
    // What the copy shows: a column that is not what its table says of it.
    let (from, to) = (b"gate     TEXT NOT NULL", b"gate     BLOB NOT NULL");
    let mut odd = whole.clone();
    let at = odd.windows(from.len()).position(|it| it == from).expect("the table of verdicts");
    odd[at..at + to.len()].copy_from_slice(to);
    // What cannot be copied: behind the first page, which has the schema, are rows and indexes.
    let mut broken = whole;
    broken[PAGE..].chunks_mut(PAGE).for_each(|page| page[..8].fill(0xff));
    for (content, help) in [(odd, "nothing was written: `"), (broken, "bring a backup")] {
        fs::write(&database, content).unwrap();
        let refused = world.call(&["backup", file(&world).as_str()]);
        assert_error(&refused, 1, database.as_str(), help);
        assert!(refused.stderr.contains("restore FILE --force"), "{refused:#?}");
        assert_eq!(left_beside(&file(&world)), Vec::<String>::new());
    }
}

/// The copy may lie on another disk than the database, and what is wrong with that one is told of the copy.
#[test]
fn a_backup_that_has_no_room_says_so_of_its_own_file() {
    let world = World::of_agent("head -c 300000 /dev/urandom > big.bin");
    let told = world.deliver();
    world.assert_merged(&told);
    let place = world.gatewright.home().join("small");
    fs::create_dir(&place).unwrap();
    let file = place.join("gatewright.backup");
    let mount = |size| format!("mount -t tmpfs -o size={size} none {place} && exec \"$@\"");
    let limit = |bytes| format!("exec prlimit --fsize={bytes} -- \"$@\"");
    // Too little for the copy of the database, for the mirror beside it, and for the archive beside both.
    let full = ["100k", "400k", "800k"].map(|size| (mount(size), "use another disk"));
    let limited = [(limit("100000"), "allow longer files")];
    for (script, help) in full.into_iter().chain(limited) {
        let arguments = ["backup", file.as_str()];
        let mut command = world.gatewright.command_in_namespace(world.dir(), &script, &arguments);
        let refused = Running::start(&mut command).finish();
        assert_error(&refused, 1, &format!("could not write {file}: "), help);
        assert!(!refused.stderr.contains("nothing was lost"), "{script}: {refused:#?}");
    }
}
