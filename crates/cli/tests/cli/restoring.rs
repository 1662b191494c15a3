//! What `restore` refuses before anything is replaced, and what the work that was delivered since the backup means for
//! what goes on from it.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Read as _,
    process::Command,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::world::{Told, World, assert_error};

/// The backup file of a world.
fn file(world: &World) -> Utf8PathBuf {
    world.gatewright.home().join("gatewright.backup")
}

/// A world with a backup that was made while its agent was at work; the agent has ended since, and its work was delivered.
fn delivered_since(flags: &[&str]) -> World {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo started > {}; read now < {}; echo before > work.txt",
        started.path(),
        end.path()
    ));
    let arguments = [&["run", "Add a file", "--json"], flags].concat();
    let running = world.gatewright.start(world.dir(), &arguments);
    assert_eq!(started.listen().next(), "started");
    let backup = world.call(&["backup", file(&world).as_str()]);
    assert_eq!(backup.code(), Some(0), "{backup:#?}");
    end.ring();
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    world.gatewright.configure_agent("echo after > work.txt");
    world
}

const BRANCH: &str = "feature/IT-001-add-a-file";

/// It cannot pass by itself: it is tried once, and a person is told which branch and what to do with it.
#[test]
fn work_that_was_delivered_since_the_backup_is_a_question_and_is_kept() {
    let world = delivered_since(&[]);
    let before = world.repository.head(BRANCH);
    let restored = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");

    let told = Told::of(&world.resume().finish());
    told.assert_blocked(&format!("the repository has another branch `{BRANCH}`"));
    let reason = told.text("reason");
    let (short, head) = (before.short(), told.text("head"));
    assert!(reason.contains(short) && reason.contains(&head[..short.len()]), "{told:#?}");
    assert!(reason.contains("rename or delete that branch"), "{told:#?}");
    assert_eq!(world.repository.head(BRANCH), before, "nobody's work is overwritten");
    let events = world.call(&["events", "IT-001", "--json"]);
    let mut lines = events.stdout.lines().filter(|line| line.contains("job_retried"));
    assert!(!lines.any(|line| line.contains("\"publish\"")), "it is tried once: {events:#?}");

    world.repository.git(&["branch", "--move", BRANCH, "delivered-before"]);
    let retried = world.call(&["pipeline", "retry", "IT-001"]);
    assert_eq!(retried.code(), Some(0), "{retried:#?}");
    assert!(retried.stdout.contains("IT-001 is running (nobody at work)"), "{retried:#?}");
    let told = Told::of(&world.resume().finish());
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    assert_eq!(world.repository.show(&format!("{BRANCH}:work.txt")), "after\n");
    assert_eq!(world.repository.show("delivered-before:work.txt"), "before\n");
}

/// Two items of one number cannot be told apart in the repository's history. What was merged has no branch any more.
#[test]
fn numbers_that_were_given_since_the_backup_are_not_given_again() {
    let world = World::of_agent("echo new > $GATEWRIGHT_ITEM.txt");
    let told = world.deliver();
    world.assert_merged(&told);
    let backup = world.call(&["backup", file(&world).as_str()]);
    assert_eq!(backup.code(), Some(0), "{backup:#?}");
    let run = |title| Told::of(&world.call(&["run", title, "--merge", "--json"]));
    assert_eq!(run("Add another file").text("item"), "IT-002");
    let restored = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    let third = run("Add a third file");
    assert_eq!(third.text("item"), "IT-003", "{third:#?}");
}

/// What was merged has no branch that would be in the way: the target itself tells of it.
#[test]
fn work_that_was_merged_since_the_backup_is_a_question_and_not_merged_again() {
    let world = delivered_since(&["--merge"]);
    let before = world.repository.head("main");
    let restored = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");

    let told = Told::of(&world.resume().finish());
    told.assert_blocked("`main` holds a merge of this pipeline already");
    assert!(told.text("reason").contains(before.short()), "{told:#?}");
    assert_eq!(world.repository.head("main"), before);

    // A person has looked, and wants both.
    let retried = world.call(&["pipeline", "retry", "IT-001"]);
    assert_eq!(retried.code(), Some(0), "{retried:#?}");
    let told = Told::of(&world.resume().finish());
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    assert_ne!(world.repository.head("main"), before);
}

/// A pipe would be waited for, and a device has no end.
#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let world = World::new();
    let pipe = world.gatewright.home().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("coreutils").success());
    for archive in [pipe.as_str(), "/dev/zero", world.gatewright.home().as_str()] {
        let refused = world.call(&["restore", archive]);
        assert_error(&refused, 2, "is no regular file", "backup` has written");
        assert!(!world.gatewright.data_dir().exists(), "{archive}");
    }
}

/// An archive as it is, but for one part that is another, or is new.
fn forged(archive: &Utf8Path, part: &str, content: &[u8]) -> Vec<u8> {
    let mut forged = tar::Builder::new(Vec::new());
    let (mut sums, mut has_part) = (String::new(), false);
    let mut archive = tar::Archive::new(File::open(archive).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let mut header = entry.header().clone();
        if path == part {
            bytes = content.to_vec();
            has_part = true;
        }
        if path == "sha256sums" {
            if !has_part {
                header.set_size(content.len() as u64);
                writeln!(sums, "{}  {part}", sha256(content)).unwrap();
                forged.append_data(&mut header, part, content).unwrap();
            }
            bytes = sums.clone().into_bytes();
        }
        writeln!(sums, "{}  {path}", sha256(&bytes)).unwrap();
        header.set_size(bytes.len() as u64);
        forged.append_data(&mut header, &path, bytes.as_slice()).unwrap();
    }
    forged.into_inner().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(bytes);
    sum.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The pipeline could not go on, which would show long after what was there is gone.
#[test]
fn mirrors_without_the_commits_of_unfinished_work_are_refused_before_anything_is_replaced() {
    let world = delivered_since(&[]);
    let other = World::new().repository;
    let bundle = world.gatewright.home().join("other.bundle");
    other.git(&["checkout", "--quiet", "--orphan", "alone"]);
    other.commit("something else");
    other.git(&["bundle", "create", "--quiet", bundle.as_str(), "alone"]);
    let broken = world.gatewright.home().join("broken");
    let other = fs::read(&bundle).unwrap();
    for (content, is_mirror) in [(b"no bundle".to_vec(), false), (other, true)] {
        fs::write(&broken, forged(&file(&world), "mirrors/IT.bundle", &content)).unwrap();
        let restore = ["restore", broken.as_str(), "--force"];
        let refused = world.call(&restore);
        assert_error(&refused, 1, "the mirror of IT in ", "use another backup");
        let listed = world.call(&["pipeline", "list", "--json"]).json();
        assert_eq!(listed[0]["status"], "succeeded", "what was there is there: {listed:#}");
        let accepted = world.call(&[&restore[..], &["--damaged"]].concat());
        assert_eq!(accepted.code(), Some(i32::from(!is_mirror)), "{accepted:#?}");
        let warned = accepted.stderr.contains("from which IT-001 goes on");
        assert_eq!(warned, is_mirror, "{accepted:#?}");
    }
}

/// Whoever made a project of that name would be given what it holds.
#[test]
fn a_mirror_of_a_project_that_nobody_knows_is_left_out_with_a_word() {
    let world = delivered_since(&[]);
    let odd = world.gatewright.home().join("odd");
    fs::write(&odd, forged(&file(&world), "mirrors/NOPE.bundle", b"anything")).unwrap();
    let restored = world.call(&["restore", odd.as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");
    assert!(restored.stderr.contains("the mirror of NOPE in "), "{restored:#?}");
    let mirrors = world.gatewright.data_dir().join("mirrors").read_dir_utf8().unwrap();
    let names: Vec<_> = mirrors.map(|it| it.unwrap().file_name().to_owned()).collect();
    assert!(names.iter().all(|name| name.starts_with("IT")), "{names:?}");
}
