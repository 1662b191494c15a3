//! `gatewright demo`

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use testkit::gatewright::Gatewright;

use crate::world::{briefs, gatewright};

fn git(repository: &Utf8Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(repository).args(arguments).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

struct Demo {
    result: Value,
    repository: Utf8PathBuf,
    _gatewright: Gatewright,
}

fn demo() -> Demo {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["demo", "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let result = finished.json();
    let repository = Utf8PathBuf::from(result["repo"].as_str().unwrap());
    Demo { result, repository, _gatewright: gatewright }
}

#[test]
fn the_demo_ends_with_one_document_that_tells_what_happened() {
    let Demo { result, repository, .. } = demo();
    assert_eq!(result["status"], "succeeded");
    assert!(result["pipeline"].as_str().unwrap().starts_with("pl_"));
    assert_eq!(result["item"], "GREET-001");
    assert_eq!(result["sent_back"], 2);
    assert!(result["duration_ms"].as_u64().unwrap() > 0);
    let stages: Vec<_> = result["stages"].as_array().unwrap().iter().map(|it| (it["stage"].as_str().unwrap(), it["state"].as_str().unwrap())).collect();
    assert_eq!(
        stages,
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
    let seed = git(&repository, &["rev-list", "--max-parents=0", "main"]);
    assert_eq!(result["merged_commit"], git(&repository, &["rev-parse", "main"]));
    assert_eq!(git(&repository, &["rev-parse", "main^1"]), seed);
    assert_eq!(git(&repository, &["rev-parse", "main^2"]), result["head"].as_str().unwrap());
    assert_eq!(git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn the_tests_on_main_pass_after_the_demo_and_failed_before_it() {
    let Demo { repository, .. } = demo();
    let tests = || Command::new("sh").arg("tests/run.sh").current_dir(&repository).output().unwrap();
    assert!(tests().status.success());
    let version = Command::new("bin/greet").arg("--version").current_dir(&repository).output().unwrap();
    assert!(version.status.success() && !version.stdout.is_empty());
    git(&repository, &["checkout", "--quiet", "main^1", "--", "bin"]);
    assert!(!tests().status.success(), "the new tests do not need the new code");
}

#[test]
fn what_tests_and_reviewers_found_stands_in_the_next_brief() {
    let Demo { repository, .. } = demo();
    let briefs = briefs(&repository.with_file_name("data"));
    let developers: Vec<_> = briefs.iter().filter(|brief| brief.contains("You are the developer")).collect();
    assert_eq!(developers.len(), 3);
    assert!(!developers[0].contains("Mend this first"));
    assert!(developers[1].contains("--version prints the name and the version"), "{}", developers[1]);
    assert!(developers[2].contains("`--version` prints to standard error, so `v=$(greet --version)` leaves `$v` empty"), "{}", developers[2]);
}

#[test]
fn the_demo_prints_a_timeline_and_commands_that_work() {
    let gatewright = gatewright();
    let finished = gatewright.run(&gatewright.home(), &["demo"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    for words in ["analysis", "development", "review", "testing", "sent back", "is merged into main as"] {
        assert!(finished.stdout.contains(words), "`{words}` is not in:\n{}", finished.stdout);
    }
    let commands: Vec<&str> = finished.stdout.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("gatewright --data-dir") || line.starts_with("git ") || line.starts_with("(cd ")).collect();
    assert_eq!(commands.len(), 5, "{}", finished.stdout);
    for line in commands {
        // As it is typed, with our binary under its name.
        let script = format!("gatewright() {{ '{}' \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_gatewright"));
        let mut shell = gatewright.shell(&gatewright.home(), &script);
        let output = shell.output().unwrap();
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
