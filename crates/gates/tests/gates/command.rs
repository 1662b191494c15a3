//! `command`.

use domain::verdict::{Severity, Verdict, VerdictOutcome};
use ports::{ExitRecord, SandboxEnd, SandboxStatus, StopReason};

use crate::support::{FakeSandbox, world};

fn last(verdict: &Verdict) -> &str {
    &verdict.findings.last().unwrap().message
}

#[tokio::test]
async fn a_command_that_exits_with_0_passes_and_leaves_its_log() {
    let world = world(&[("greeting", "hello\n")]);
    let verdict = world.run("cat greeting; echo oops >&2").await;
    assert_eq!((verdict.outcome, verdict.findings.len()), (VerdictOutcome::Pass, 0));
    assert_eq!(verdict.summary, "`cat greeting; echo oops >&2` exited with 0");
    assert_eq!(verdict.evidence, Some(world.evidence_path().to_string()));
    assert_eq!(world.evidence(), b"hello\n--- standard error ---\noops\n");
    assert!(!world.scratch().exists() && world.sandbox.count() == 0);
}

#[tokio::test]
async fn a_branch_that_changes_what_a_command_runs_is_told_even_where_it_passes() {
    let world =
        world(&[("Makefile", "test:\n\ttrue\n")]).with_base("Makefile", "test:\n\tsh t.sh\n");
    let verdict = world.run("true").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass);
    assert_eq!(
        verdict.summary,
        "`true` exited with 0; this branch changes Makefile, which may say what it runs"
    );
}

#[tokio::test]
async fn a_failure_reaches_the_next_agent_word_for_word() {
    let verdict = world(&[])
        .run("echo 'expected \"a\", got `b`'; echo 'make: *** [test] Error 1' >&2; exit 2")
        .await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    assert!(verdict.summary.ends_with("exited with 2"), "{}", verdict.summary);
    assert_eq!(verdict.findings[0].severity, Severity::Blocking);
    assert!(last(&verdict).ends_with(
        "ends so:\n\nexpected \"a\", got `b`\n--- standard error ---\nmake: *** [test] Error 1"
    ));
}

#[tokio::test]
async fn failed_tests_become_findings_before_the_tail() {
    let output = "test a::b ... FAILED\n\n---- a::b stdout ----\n\nthread 'a::b' (1) panicked at src/a.rs:7:5:\nno\n\nfailures:\n";
    let verdict = world(&[("out.txt", output)]).run("cat out.txt; exit 101").await;
    assert_eq!(verdict.summary, "`cat out.txt; exit 101` exited with 101: 1 test failed");
    assert_eq!(
        (verdict.findings[0].path.as_deref(), verdict.findings[0].line),
        (Some("src/a.rs"), Some(7))
    );
    assert_eq!(verdict.findings[0].rule.as_deref(), Some("a::b"));
    assert!(last(&verdict).contains("test a::b ... FAILED"));
}

#[tokio::test]
async fn terminal_sequences_stay_in_the_log_and_leave_the_findings() {
    let world = world(&[("out", "\u{1b}[31mred\u{1b}[0m\u{7}\n")]).with_bytes("raw", b"\xff\n");
    let verdict = world.run("cat out raw; exit 1").await;
    assert!(last(&verdict).ends_with("red\\u{7}\n\u{fffd}"), "{}", last(&verdict));
    assert_eq!(world.evidence(), b"\x1b[31mred\x1b[0m\x07\n\xff\n");
}

#[tokio::test]
async fn endless_output_is_whole_in_the_log_and_cut_in_the_finding() {
    let world = world(&[("lines", &"a line of output\n".repeat(50_000))]);
    let verdict = world.run("cat lines; exit 1").await;
    assert_eq!(world.evidence().len(), 17 * 50_000);
    assert_eq!(last(&verdict).matches("a line of output").count(), 500);
    assert!(
        last(&verdict).len() <= 12 * 1024
            && last(&verdict).contains("[cut: earlier lines are in the log]")
    );
}

#[tokio::test]
async fn findings_and_tail_together_fit_into_a_brief() {
    let world = world(&[("lines", &"not ok 1 - something that is said at length\n".repeat(5_000))]);
    let verdict = world.run("cat lines; exit 1").await;
    assert!(verdict.summary.ends_with("5000 tests failed"), "{}", verdict.summary);
    assert!(verdict.findings.iter().map(|it| it.message.len()).sum::<usize>() <= 12 * 1024);
}

#[tokio::test]
async fn the_command_sees_a_clean_checkout_a_fresh_home_and_no_environment_of_ours() {
    let world = world(&[("a.txt", "x")]);
    let verdict = world.run(r#"test "$(ls)" = a.txt && test -z "$(ls -A "$HOME")" && test -z "$CARGO_MANIFEST_DIR" && touch "$HOME/x" new"#).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass, "{}", last(&verdict));
    let spec = &world.sandbox.launched()[0];
    let scratch = world.scratch();
    assert_eq!(spec.argv[..2], ["/bin/sh", "-c"]);
    assert_eq!(spec.env.keys().collect::<Vec<_>>(), ["HOME", "LANG", "PATH"]);
    assert_eq!((&spec.cwd, spec.name.as_str()), (&scratch.join("checkout"), "gate-tests-cccccccc"));
    let writable: Vec<_> =
        spec.mounts.iter().filter(|it| it.writable).map(|it| it.to.clone()).collect();
    assert_eq!(writable, [scratch.join("checkout"), scratch.join("home")]);
    let readable: Vec<_> =
        spec.mounts.iter().filter(|it| !it.writable).map(|it| it.to.as_str()).collect();
    assert_eq!(readable, ["/opt/tools", "/mirrors/ET/objects"]);
    assert_eq!(spec.limits.time.as_secs(), 600);
}

#[tokio::test]
async fn deleting_a_test_fails_without_running_anything() {
    let world = world(&[("tests/b.py", "")])
        .with_base("tests/a.py", "x")
        .with_base("tests/b.py", "x")
        .with_base("src/c.py", "x");
    let verdict = world.run("true").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    assert_eq!(verdict.findings.len(), 1);
    assert_eq!(
        verdict.findings[0].message,
        "this branch deletes the test `tests/a.py`; restore it, or ask a person to waive this"
    );
    assert_eq!(world.sandbox.launched().len(), 0);
    assert!(!world.evidence_path().exists());
}

#[tokio::test]
async fn a_renamed_test_counts_as_deleted() {
    let world = world(&[("tests/old.py.txt", "x")]).with_base("tests/old.py", "x");
    assert_eq!(world.run("true").await.outcome, VerdictOutcome::Fail);
}

#[tokio::test]
async fn a_program_that_this_machine_lacks_is_nobodys_failure() {
    let verdict = world(&[]).run("no-such-program-here --all").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Error);
    assert!(
        verdict.summary.contains("`no-such-program-here` was not found"),
        "{}",
        verdict.summary
    );
}

#[tokio::test]
async fn a_script_that_the_commit_lacks_is_its_failure() {
    let verdict = world(&[]).run("./scripts/test").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    assert!(
        verdict.summary.contains("`./scripts/test` is not in this commit"),
        "{}",
        verdict.summary
    );
    let verdict = world(&[("scripts/test", "#!/bin/sh\n")]).run("./scripts/test").await;
    assert!(verdict.summary.contains("or is not executable"), "{}", verdict.summary);
}

#[tokio::test]
async fn a_command_that_takes_too_long_fails_with_the_limit_and_what_it_had_said() {
    let world = world(&[]);
    world
        .sandbox
        .end_all(FakeSandbox::ended(SandboxEnd::Stopped { reason: StopReason::TimeLimit }));
    let verdict = world.run("echo still at it").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    assert_eq!(
        verdict.summary,
        "`echo still at it` did not end within 10m: raise time_limit or make it faster"
    );
    assert!(last(&verdict).ends_with("still at it"));
}

#[tokio::test]
async fn want_of_memory_is_told_apart_from_a_kill() {
    for (out_of_memory, words) in [(true, "ran out of memory"), (false, "was ended by signal 9")] {
        let world = world(&[]);
        world
            .sandbox
            .end_all(FakeSandbox::ended(SandboxEnd::Signaled { signal: 9, out_of_memory }));
        let verdict = world.run("true").await;
        assert_eq!(verdict.outcome, VerdictOutcome::Fail);
        assert!(verdict.summary.contains(words), "{}", verdict.summary);
        assert!(last(&verdict).ends_with("It printed nothing."));
    }
    let verdict = world(&[]).run("sh -c 'kill -9 $$'; exit 137").await;
    assert!(verdict.summary.contains("often for want of memory"), "{}", verdict.summary);
}

/// The commit is not to blame, and whoever wrote it is not asked to mend it.
#[tokio::test]
async fn a_command_that_met_a_full_disk_last_is_no_verdict_on_the_commit() {
    let full = "echo 'ld: final link failed: No space left on device'";
    for run in [format!("{full}; exit 1"), format!("{full} >&2; exit 2")] {
        let verdict = world(&[]).run(&run).await;
        assert_eq!(verdict.outcome, VerdictOutcome::Error);
        let words = "met a full disk: free some space, then try again";
        assert!(verdict.summary.contains(words), "{}", verdict.summary);
    }
    let tested = format!("{full}; for i in 1 2 3 4 5 6 7 8 9 10; do echo; echo $i; done; exit 1");
    let verdict = world(&[]).run(&tested).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail, "it went on after it");
    let passed = world(&[]).run(&format!("{full}; exit 0")).await;
    assert_eq!(passed.outcome, VerdictOutcome::Pass);
}

/// A project that tests what it does on a full disk has its failures mended by its agent.
#[tokio::test]
async fn a_command_that_only_speaks_of_a_full_disk_has_failed() {
    let world = world(&[]);
    world.machine.has_room(u64::MAX);
    let verdict = world.run("echo 'FAIL: No space left on device was not handled'; exit 1").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    let words = "exited with 1; it speaks of a full disk, and the disk that it ran on has room";
    assert!(verdict.summary.ends_with(words), "{}", verdict.summary);
}

#[tokio::test]
async fn a_disk_that_could_not_be_asked_is_not_said_to_have_room() {
    let world = world(&[]);
    world.machine.falls_silent();
    let verdict = world.run("echo 'FAIL: No space left on device was not handled'; exit 1").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    let words =
        "it speaks of a full disk, and whether the disk that it ran on has room could not be asked";
    assert!(verdict.summary.ends_with(words), "{}", verdict.summary);
}

#[tokio::test]
async fn what_a_command_left_behind_is_said_even_where_it_passes() {
    let world = world(&[]);
    let SandboxStatus::Ended(record) = FakeSandbox::ended(SandboxEnd::Exited { code: 0 }) else {
        panic!()
    };
    world.sandbox.end_all(SandboxStatus::Ended(ExitRecord {
        leftovers_killed: 2,
        log_cut: true,
        ..record
    }));
    let verdict = world.run("true").await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass);
    let messages: Vec<_> = verdict.findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "it printed more than 50 MiB; the log ends there",
            "it left 2 processes running, which were ended"
        ]
    );
}
