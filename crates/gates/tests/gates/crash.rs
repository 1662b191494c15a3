//! `command` after the orchestrator was killed in the middle of it, and where nobody can answer.

use domain::verdict::VerdictOutcome;
use ports::{SandboxEnd, SandboxStatus, StopReason};

use crate::support::{FakeSandbox, World, world};

fn exited(code: i32) -> SandboxStatus {
    FakeSandbox::ended(SandboxEnd::Exited { code })
}

/// A world in which an earlier try got as far as `status`.
fn after_a_crash(status: SandboxStatus, then: SandboxStatus) -> World {
    let world = world(&[]);
    std::fs::create_dir_all(world.scratch().join("checkout/left-over")).unwrap();
    world.sandbox.leave(&world.scratch().join("sandbox"), status, then, "from before\n");
    world
}

#[tokio::test]
async fn a_command_that_still_runs_is_waited_for() {
    let world = after_a_crash(SandboxStatus::Running, exited(3));
    let verdict = world.run("true").await;
    assert_eq!(
        (verdict.outcome, verdict.summary.as_str()),
        (VerdictOutcome::Fail, "`true` exited with 3")
    );
    assert_eq!(world.evidence(), b"from before\n");
    assert!(world.sandbox.launched().is_empty() && !world.scratch().exists());
}

#[tokio::test]
async fn a_command_that_ended_meanwhile_is_not_run_again() {
    let world = after_a_crash(exited(0), exited(0));
    assert_eq!(world.run("false").await.outcome, VerdictOutcome::Pass);
    assert!(world.sandbox.launched().is_empty() && !world.scratch().exists());
}

#[tokio::test]
async fn a_record_next_to_no_checkout_is_on_its_way_out_and_not_used() {
    let world = after_a_crash(exited(0), exited(0));
    std::fs::remove_dir_all(world.scratch().join("checkout")).unwrap();
    assert_eq!(world.run("false").await.outcome, VerdictOutcome::Fail);
    assert_eq!(world.sandbox.launched().len(), 1);
}

#[tokio::test]
async fn what_says_nothing_about_the_commit_is_run_again_on_a_clean_checkout() {
    let asked = FakeSandbox::ended(SandboxEnd::Stopped { reason: StopReason::Asked });
    let unborn = FakeSandbox::ended(SandboxEnd::LaunchFailed { message: "no space".to_owned() });
    for status in [SandboxStatus::Vanished, asked, unborn] {
        let world = after_a_crash(status.clone(), status);
        let verdict = world.run("test -z \"$(ls -A)\" && echo anew").await;
        assert_eq!(verdict.outcome, VerdictOutcome::Pass, "{:?}", verdict.findings);
        assert_eq!(world.evidence(), b"anew\n");
    }
}

#[tokio::test]
async fn a_checkout_that_a_crash_cut_short_is_made_anew() {
    let world = world(&[("a.txt", "x")]);
    std::fs::create_dir_all(world.scratch().join("checkout/half")).unwrap();
    std::fs::create_dir_all(world.scratch().join("home/dirty")).unwrap();
    assert_eq!(
        world.run("test \"$(ls)\" = a.txt && test -z \"$(ls \"$HOME\")\"").await.outcome,
        VerdictOutcome::Pass
    );
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    let world = world(&[]);
    let first = world.run("echo x; exit 1").await;
    assert_eq!(world.run("echo x; exit 1").await, first);
}

#[tokio::test]
async fn a_sandbox_that_says_nothing_gives_no_verdict_and_leaves_nothing() {
    let asked = FakeSandbox::ended(SandboxEnd::Stopped { reason: StopReason::Asked });
    let unborn =
        FakeSandbox::ended(SandboxEnd::LaunchFailed { message: "no space left".to_owned() });
    for (end, words) in [
        (SandboxStatus::Vanished, "vanished without a word"),
        (asked, "was stopped before it had ended"),
        (unborn, "could not be started: no space left"),
    ] {
        let world = world(&[]);
        world.sandbox.end_all(end);
        let error = world.run_in_vain("true").await;
        assert!(
            error.starts_with("gate `tests` could not answer: ") && error.contains(words),
            "{error}"
        );
        assert!(!world.scratch().exists());
    }
}

#[tokio::test]
async fn a_place_that_cannot_hold_the_evidence_is_named_with_the_reason() {
    let world = world(&[]);
    std::fs::write(world.evidence_path().parent().unwrap(), "a file, not a directory").unwrap();
    let error = world.run_in_vain("true").await;
    assert!(
        error.contains("could not keep the log") && error.contains("evidence/tests.log: "),
        "{error}"
    );
}
