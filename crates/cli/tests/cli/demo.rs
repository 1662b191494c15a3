//! `gatewright demo`

use std::{fs::File, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::gatewright::Running;

use crate::world::{briefs, gatewright};

fn git(repository: &Utf8Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn the_demo_delivers_a_tested_merge_and_tells_how_it_came_about() {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["demo", "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let result = finished.json();
    let repository = Utf8PathBuf::from(result["repo"].as_str().unwrap());
    assert_document(&result);
    assert_briefs(&briefs(&repository.with_file_name("data")));
    assert_merge(&repository, &result);
}

fn assert_document(result: &Value) {
    assert_eq!(result["status"], "succeeded");
    assert!(result["pipeline"].as_str().unwrap().starts_with("pl_"));
    assert_eq!(result["item"], "GREET-001");
    assert_eq!(result["sent_back"], 2);
    assert!(result["duration_ms"].as_u64().unwrap() > 0);
    let stages = result["stages"].as_array().unwrap().iter();
    let stages = stages.map(|it| (it["stage"].as_str().unwrap(), it["state"].as_str().unwrap()));
    assert_eq!(
        stages.collect::<Vec<_>>(),
        [
            ("intake", "passed"),
            ("analysis", "passed"),
            ("architecture", "passed"),
            ("development", "sent_back"),
            ("development", "passed"),
            ("review", "sent_back"),
            ("development", "passed"),
            ("review", "passed"),
            ("testing", "passed"),
            ("done", "passed"),
        ]
    );
}

/// What tests and reviewers found stands in the next brief, word for word.
fn assert_briefs(briefs: &[String]) {
    let developers: Vec<_> =
        briefs.iter().filter(|it| it.contains("You are the developer")).collect();
    assert_eq!(developers.len(), 3);
    assert!(!developers[0].contains("Mend this first"));
    assert!(
        developers[1].contains("--version prints the name and the version"),
        "{}",
        developers[1]
    );
    let review =
        "`--version` prints to standard error, so `v=$(greet --version)` leaves `$v` empty";
    assert!(developers[2].contains(review), "{}", developers[2]);
}

/// `main` is a merge of the item's branch into what was there, its tests pass, and they fail without the new code.
fn assert_merge(repository: &Utf8Path, result: &Value) {
    let seed = git(repository, &["rev-list", "--max-parents=0", "main"]);
    assert_eq!(git(repository, &["rev-parse", "main"]), result["merged_commit"]);
    assert_eq!(git(repository, &["rev-parse", "main^1"]), seed);
    assert_eq!(git(repository, &["rev-parse", "main^2"]), result["head"]);
    assert_eq!(git(repository, &["status", "--porcelain"]), "");
    let run = |program: &str, argument: &str| {
        Command::new(program).arg(argument).current_dir(repository).output().unwrap()
    };
    assert!(run("sh", "tests/run.sh").status.success());
    let version = run("bin/greet", "--version");
    assert!(version.status.success() && !version.stdout.is_empty());
    git(repository, &["checkout", "--quiet", "main^1", "--", "bin"]);
    assert!(!run("sh", "tests/run.sh").status.success(), "the new tests do not need the new code");
}

#[test]
fn the_demo_prints_a_timeline_and_commands_that_work() {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["demo"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    for words in
        ["analysis", "development", "review", "testing", "sent back", "is merged into main as"]
    {
        assert!(finished.stdout.contains(words), "`{words}` is not in:\n{}", finished.stdout);
    }
    let look_closer = finished.stdout.lines().skip_while(|line| *line != "Look closer:").skip(1);
    let commands: Vec<&str> = look_closer.map_while(|line| line.strip_prefix("  ")).collect();
    assert_eq!(commands.len(), 5, "{}", finished.stdout);
    for line in commands {
        let output = gatewright.shell(&gatewright.home(), line).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{line}: {output:?}");
    }
}

#[test]
fn a_demo_that_nobody_answers_waits_for_a_person() {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["demo", "--ask", "--json"]);
    assert_eq!(finished.code(), Some(3), "{finished:#?}");
    assert_eq!(finished.json()["status"], "awaiting_human");
}

#[test]
fn ctrl_c_is_heard_while_the_demo_waits_for_an_answer() {
    let gatewright = gatewright();
    let nobody_answers = gatewright.bell("answer");
    let mut command = gatewright.command(&gatewright.home(), &["demo", "--ask", "--json"]);
    command.stdin(File::open(nobody_answers.path()).unwrap());
    let running = Running::start(&mut command);
    running.wait_for("waits for a person: Do these requirements");
    // The same words once more: what was at work has ended, and it is asked.
    running.wait_for("Do these requirements");
    running.signal("INT");
    let finished = running.finish();
    assert_eq!(finished.code(), Some(130), "{finished:#?}");
    assert_eq!(finished.json()["status"], "awaiting_human");
    assert!(finished.stderr.contains("stopping: nothing more is begun"), "{finished:#?}");
    assert!(!finished.stderr.contains("takes too long"), "it ends by itself: {finished:#?}");
}
