//! A program gets a letter, and its end says what became of it.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Stdio},
};

use camino::Utf8Path;
use integrations::{CommandDestination, CommandOptions};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::stat::Mode,
    unistd::mkfifo,
};
use ports::{Delivery, Destination as _};

use crate::fixtures::{directory, letter};

/// A program that is nothing but the usher.
const USHER: &str = env!("CARGO_BIN_EXE_integrations-test-usher");

fn shell(directory: &Utf8Path, script: &str) -> CommandDestination {
    let secrets = BTreeMap::from([("TOKEN".to_owned(), "hunter2".to_owned())]);
    CommandDestination::new(CommandOptions {
        command: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
        usher: vec![USHER.to_owned()],
        data_dir: directory.to_owned(),
        directory: directory.to_owned(),
        path: "/usr/bin:/bin".to_owned(),
        env: BTreeMap::from([("PLACE".to_owned(), "here".to_owned())]),
        secrets,
    })
}

async fn deliver(script: &str) -> Delivery {
    let (_kept, dir) = directory();
    shell(&dir, script).deliver(&letter(1, "a")).await
}

fn retry(why: &str) -> Delivery {
    Delivery::Retry { why: why.to_owned(), after: None }
}

#[tokio::test]
async fn a_program_gets_the_letter_and_its_key_and_nothing_of_our_environment() {
    let (_kept, dir) = directory();
    let script =
        "cat > letter; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort > env; echo ticket-7";
    let answer = shell(&dir, script).deliver(&letter(1, "a\nb")).await;
    assert_eq!(answer, Delivery::Delivered { remote: Some("ticket-7".to_owned()) });
    let given = fs::read_to_string(dir.join("letter")).unwrap();
    let given: serde_json::Value = serde_json::from_str(given.trim_end()).unwrap();
    assert_eq!(
        (given["title"].as_str(), given["event"].as_str()),
        (Some("a\nb"), Some("cancelled"))
    );
    let given = fs::read_to_string(dir.join("env")).unwrap();
    let (mark, rest) = given.split_once('\n').unwrap();
    let letter = "/out/pl_00000000000000000000000000000001/1/out/0/";
    assert!(mark.starts_with("GATEWRIGHT_DELIVERY=") && mark.contains(letter), "{mark}");
    let expected = "GATEWRIGHT_DESTINATION=out\nGATEWRIGHT_EVENT=cancelled\nGATEWRIGHT_ITEM=ET-001\n\
        GATEWRIGHT_LETTER_ID=ltr_00000000000000000000000000000001\n\
        GATEWRIGHT_LETTER_KEY=pl_00000000000000000000000000000001/1/out/0\n\
        PATH=/usr/bin:/bin\nPLACE=here\nTOKEN=hunter2\n";
    assert_eq!(rest, expected);
}

#[tokio::test]
async fn the_exit_code_says_what_becomes_of_the_letter() {
    assert_eq!(deliver("exit 0").await, Delivery::Delivered { remote: None });
    assert_eq!(deliver("exit 75").await, retry("the command exited with 75"));
    assert_eq!(deliver("exit 1").await, retry("the command exited with 1"));
    assert_eq!(deliver("kill -9 $$").await, retry("the command was killed by signal 9"));
    let refused = "echo first >&2; echo no such room >&2; exit 67";
    let why = "the command exited with 67: no such room".to_owned();
    assert_eq!(deliver(refused).await, Delivery::Refused { why });
}

#[tokio::test]
async fn a_secret_that_a_program_repeats_is_not_kept() {
    let answer = deliver("echo \"401 for $TOKEN\" >&2; exit 1").await;
    assert_eq!(answer, retry("the command exited with 1: 401 for ********"));
    // The first 16 KiB of what it says end in the middle of the secret.
    let cut = "head -c 16380 /dev/zero | tr '\\0' '\\n' >&2; echo \"$TOKEN\" >&2; exit 1";
    assert_eq!(deliver(cut).await, retry("the command exited with 1"));
}

#[tokio::test]
async fn a_program_that_says_too_much_or_listens_to_nothing_has_ended_all_the_same() {
    let flood = "head -c 10000000 /dev/zero | tr '\\0' 'x'; head -c 10000000 /dev/zero >&2; exit 3";
    assert!(matches!(deliver(flood).await, Delivery::Retry { .. }));
    let (_kept, dir) = directory();
    let big = letter(1, &"x".repeat(1_000_000));
    assert_eq!(shell(&dir, "exit 0").deliver(&big).await, Delivery::Delivered { remote: None });
}

#[tokio::test]
async fn a_program_that_is_not_there_is_tried_again_and_named() {
    let (_kept, dir) = directory();
    let missing = CommandDestination::new(CommandOptions {
        command: vec!["no-such-program".to_owned()],
        usher: vec![USHER.to_owned()],
        data_dir: dir.clone(),
        directory: dir,
        path: "/usr/bin:/bin".to_owned(),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
    });
    let Delivery::Retry { why, .. } = missing.deliver(&letter(1, "a")).await else {
        panic!("it may be installed")
    };
    assert!(why.starts_with("could not start `no-such-program`: "), "{why}");
}

/// A pipe that a script holds, which opens it for both so that opening it waits for nobody.
struct Held {
    reader: File,
}

impl Held {
    /// Makes it, and opens it before anybody can have held it and be gone.
    fn new(pipe: &Utf8Path) -> Self {
        mkfifo(pipe.as_std_path(), Mode::S_IRWXU).expect("a pipe can be made");
        let flags = OFlag::O_NONBLOCK.bits();
        let reader = OpenOptions::new().read(true).custom_flags(flags).open(pipe);
        let reader = reader.expect("a pipe can be opened");
        Self { reader }
    }

    /// Waits until no process is left that could write to it.
    fn assert_nobody_holds(mut self) {
        fcntl(&self.reader, FcntlArg::F_SETFL(OFlag::empty())).expect("it waits from now on");
        let mut text = String::new();
        self.reader.read_to_string(&mut text).expect("a pipe can be read");
        assert_eq!(text, "", "whoever held it was killed before it wrote");
    }
}

/// Whoever holds the pipe of this script is gone when the delivery is.
async fn assert_nothing_outlives(script: &str) {
    let (_kept, dir) = directory();
    let held = Held::new(&dir.join("pipe"));
    let script = format!("exec 3<>pipe; {script} & echo started; exit 0");
    let answer = shell(&dir, &script).deliver(&letter(1, "a")).await;
    assert_eq!(answer, Delivery::Delivered { remote: Some("started".to_owned()) });
    held.assert_nobody_holds();
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    assert_nothing_outlives("(sleep 1000; echo late >&3)").await;
}

/// In no group of ours, and nobody's child: it is found by what it was given.
#[tokio::test]
async fn what_a_program_starts_in_a_session_of_its_own_ends_with_it() {
    assert_nothing_outlives("setsid sh -c 'sleep 1000; echo late >&3'").await;
}

#[tokio::test]
async fn a_delivery_that_is_dropped_kills_whatever_came_of_it() {
    let (_kept, dir) = directory();
    let held = Held::new(&dir.join("pipe"));
    let ready = dir.join("ready");
    mkfifo(ready.as_std_path(), Mode::S_IRWXU).unwrap();
    let script = "exec 3<>pipe; (sleep 1000; echo late >&3) & setsid sleep 1000 & echo ready > ready; sleep 1000";
    let destination = shell(&dir, script);
    let letter = letter(1, "a");
    let started = tokio::task::spawn_blocking(move || fs::read_to_string(ready).unwrap());
    tokio::select! {
        answer = destination.deliver(&letter) => panic!("it sleeps: {answer:?}"),
        words = started => assert_eq!(words.unwrap(), "ready\n"),
    }
    held.assert_nobody_holds();
}

/// A command that is rid of its usher is not rid of its end: it is found by what it was given.
#[tokio::test]
async fn what_came_of_a_delivery_whose_usher_is_killed_ends_with_the_delivery() {
    let (_kept, dir) = directory();
    let held = Held::new(&dir.join("pipe"));
    let script = "exec 3<>pipe; setsid sh -c 'sleep 1000; echo late >&3' & kill -9 $PPID; sleep 1000; echo late >&3";
    let Delivery::Retry { why, .. } = shell(&dir, script).deliver(&letter(1, "a")).await else {
        panic!("nobody knows what became of it")
    };
    assert!(why.starts_with("could not learn what became of `sh`: its usher ended"), "{why}");
    held.assert_nobody_holds();
}

/// Two data directories may have a destination of the same name.
#[tokio::test]
async fn a_delivery_of_another_data_directory_is_left_alone() {
    let ((_kept, one), (_kept_too, other)) = (directory(), directory());
    let [ready, go] = ["ready", "go"].map(|name| one.join(name));
    for pipe in [&ready, &go] {
        mkfifo(pipe.as_std_path(), Mode::S_IRWXU).unwrap();
    }
    let waiting = shell(&one, "echo ready > ready; read now < go; echo there");
    let passing = shell(&other, "exit 0");
    let letter = letter(1, "a");
    let meanwhile = async {
        tokio::task::spawn_blocking(move || fs::read_to_string(ready).unwrap()).await.unwrap();
        let passed = passing.deliver(&letter).await;
        tokio::task::spawn_blocking(move || fs::write(go, "now\n").unwrap()).await.unwrap();
        passed
    };
    let (waited, passed) = tokio::join!(waiting.deliver(&letter), meanwhile);
    assert_eq!(passed, Delivery::Delivered { remote: None });
    assert_eq!(waited, Delivery::Delivered { remote: Some("there".to_owned()) });
}

/// Whoever gave it the letter is there, and does not say that the time is over: it may be stopped.
#[test]
fn an_usher_ends_a_command_whose_time_is_over() {
    let mut usher = Command::new(USHER);
    usher.args(["1", "sleep", "1000"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut usher = usher.spawn().unwrap();
    let mut stdin = usher.stdin.take().unwrap();
    stdin.write_all(b"{}\n").unwrap();
    let mut report = String::new();
    usher.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    assert!(report.contains("\"time_limit\""), "{report}");
    assert!(usher.wait().unwrap().success());
}

/// What was cut short before it was whole is no letter.
#[test]
fn an_usher_starts_nothing_before_it_has_the_whole_letter() {
    let (_kept, dir) = directory();
    let mut usher = Command::new(USHER);
    usher.args(["60000", "touch", dir.join("begun").as_str()]).stdin(Stdio::piped());
    let mut usher = usher.spawn().unwrap();
    usher.stdin.take().unwrap().write_all(b"{\"key\":").unwrap();
    assert!(usher.wait().unwrap().success());
    assert!(!dir.join("begun").exists());
}
