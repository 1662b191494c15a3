//! What does not work at once, and what it costs.

use std::time::Duration;

use domain::{
    decision::DecisionKind,
    definition::PipelineLimits,
    failure::FailureClass,
    job::{JobState, JobStateTag},
    limits::JOB_TRANSIENT_ATTEMPTS_MAX,
    pipeline::{EventKind, Input, PipelineStateTag},
    revision::CommitSha,
};
use jiff::Timestamp;
use ports::{Clock as _, StoreError};
use testkit::world::{Answer, PERSON, Script, TestEnv, World, definitions};

/// When the job that failed may be tried again.
async fn next_try(world: &World, id: domain::id::PipelineId) -> Option<Timestamp> {
    match world.jobs(id, JobStateTag::Queued).await.first()?.state {
        JobState::Queued { available_at } if available_at > world.clock.now() => Some(available_at),
        _ => None,
    }
}

#[tokio::test]
async fn a_transient_failure_is_retried_after_its_backoff_and_not_before() {
    const MOMENT: Duration = Duration::from_millis(1);
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it waits", async |world| next_try(world, id).await.is_some()).await;
    let again = next_try(&env.world, id).await.unwrap();
    let wait = Duration::try_from(again.duration_since(env.world.clock.now())).unwrap();
    env.advance(wait.saturating_sub(MOMENT)).await;
    assert_eq!(env.world.sandbox.launches(), 1);
    env.advance(MOMENT).await;
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.runs(id).await[1].launched_at, again);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

#[tokio::test]
async fn a_provider_that_stays_unwell_is_a_question_in_the_end() {
    let mut env = TestEnv::new().await;
    for _ in 0..JOB_TRANSIENT_ATTEMPTS_MAX {
        env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
    }
    let id = env.start("Add a flag").await;
    env.work();
    for _ in 1..JOB_TRANSIENT_ATTEMPTS_MAX {
        env.until("it waits", async |world| next_try(world, id).await.is_some()).await;
        env.advance(Duration::from_mins(10)).await;
    }
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), JOB_TRANSIENT_ATTEMPTS_MAX as usize);
    assert_eq!(env.world.question(id).await.unwrap().kind, DecisionKind::Escalation);
}

#[tokio::test]
async fn a_permanent_failure_asks_a_person_after_two_tries() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.question(id).await.unwrap().question, "it was told to");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_role_that_fails_stops_the_others_of_its_wave_and_a_retry_begins_anew() {
    let wave = definitions::stage("build", &["developer", "tester"]);
    let mut env = TestEnv::new().await.with_definition(definitions::definition(vec![wave]));
    env.world.sandbox.next_plays(Script::waits());
    env.world.sandbox.next_plays(Script::waits().write("half.rs", "half"));
    let id = env.start("Add a flag").await;
    env.work();
    env.until("both are followed", async |world| world.sandbox.followers() == 2).await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    env.world.sandbox.play(0, Script::fails(FailureClass::Permanent));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert!(!env.world.sandbox.is_running(1));
    assert!(env.world.git.keeps("half.rs", "half"), "what it left is salvaged");
    let retry = Input::Retry { comment: String::new() };
    let _moved = env.engine().ask(id, &retry, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 5);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_failed_try_leaves_its_work_to_the_next() {
    let mut env = TestEnv::new().await;
    let half = Script::waits().write("half.rs", "half").say("fail permanent tired").end(1);
    env.world.sandbox.next_plays(half);
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let merged = env.world.git.people_file(&env.project, "main", "half.rs");
    assert_eq!(merged.as_deref(), Some("half"));
}

#[tokio::test]
async fn a_verdict_about_another_commit_is_no_verdict_and_keeps_nobody_waiting() {
    let mut env = TestEnv::new().await;
    let other = CommitSha::new("0".repeat(40)).unwrap();
    env.world.gates.next_answer("tests", Answer::Mistakes(other));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.git.landings(&env.project), 0);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_gate_that_cannot_tell_asks_a_person() {
    let mut env = TestEnv::new().await;
    env.world.gates.next_answer("tests", Answer::Errs("no compiler".to_owned()));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.question(id).await.unwrap().kind, DecisionKind::Escalation);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_panic_in_a_port_fails_that_job_only() {
    let mut env = TestEnv::new().await;
    let (one, other) = (env.start("Add a flag").await, env.start("Add a switch").await);
    env.world.calls.panic_at("git.collect");
    env.work_to_rest().await;
    let mut retried = 0;
    for id in [one, other] {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
        let is_retry = |event: &EventKind| matches!(event, EventKind::JobRetried { .. });
        retried += env.world.count(id, is_retry).await;
        env.world.check(id).await;
    }
    assert_eq!((retried, env.world.sandbox.launches()), (1, 2), "its result is found again");
}

#[tokio::test]
async fn a_store_that_will_not_hear_a_report_loses_no_result() {
    const REFUSALS: u32 = 3;
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    let overloaded = || StoreError::Overloaded { waiting: 9 };
    env.world.watched_store.refuse(Some("store.apply"), REFUSALS, overloaded);
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    for left in (0..REFUSALS).rev() {
        let met = async |world: &World| world.watched_store.refusals_left() == left;
        env.until("it is refused", met).await;
        env.advance(Duration::from_secs(1)).await;
    }
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
    env.world.check(id).await;
}

/// Nobody may look again for long: what could not be written down is looked at before the process ends.
#[tokio::test]
async fn a_run_whose_end_the_store_would_not_hear_is_closed_before_the_process_ends() {
    let wall_time = Duration::from_mins(1);
    let mut env = TestEnv::new().await;
    env.definition.limits =
        PipelineLimits { wall_time: Some(wall_time), ..PipelineLimits::default() };
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    let full = || StoreError::DiskFull { operation: "write" };
    env.world.watched_store.refuse(Some("store.settle_run"), 1, full);
    env.world.clock.advance(wall_time);
    env.work_to_rest().await;
    assert_eq!(env.world.watched_store.refusals_left(), 0, "it was refused");
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    let runs = env.world.runs(id).await;
    assert!(runs.len() == 1 && runs[0].ended_at.is_some(), "{runs:?}");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_loses_no_result() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    let full = || StoreError::DiskFull { operation: "write" };
    env.world.watched_store.refuse(None, 12, full);
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert_eq!(env.world.watched_store.refusals_left(), 0);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
    env.world.check(id).await;
}

#[tokio::test]
async fn a_store_that_stays_away_ends_the_engine_and_the_next_one_finds_the_result() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.world.watched_store.refuse(None, u32::MAX, || StoreError::DiskFull { operation: "write" });
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    assert!(env.rest_as_time_passes(Duration::from_secs(1)).await.is_err());
    env.world.watched_store.refuse(None, 0, || StoreError::DiskFull { operation: "write" });
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
    env.world.check(id).await;
}

/// The failure of the first try of a job, wherever it met it.
async fn first_failure(env: &TestEnv, id: domain::id::PipelineId) -> (FailureClass, String) {
    let events = env.world.events(id).await;
    let mut failures = events.into_iter().filter_map(|event| match event.kind {
        EventKind::JobRetried { failure, .. } => Some((failure.class, failure.message)),
        _ => None,
    });
    failures.next().expect("a try that failed")
}

/// Wherever git of ours, or of the workspace, finds no room: it is said so, with what to do, and nobody is blamed.
#[tokio::test]
async fn a_disk_that_is_full_is_named_wherever_it_is_met() {
    for call in ["git.sync", "git.open_workspace", "git.collect", "hand-in"] {
        let mut env = TestEnv::new().await;
        let id = env.start("Add a flag").await;
        env.world.git.fill_disk_at(call);
        env.work_to_rest().await;
        let (class, message) = first_failure(&env, id).await;
        assert_eq!(class, FailureClass::Resource, "{call}");
        for words in ["No space left on device", "the disk is full: free some space on it"] {
            assert!(message.contains(words), "{call}: {message}");
        }
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "{call}");
        assert_eq!(env.world.sandbox.launches(), 1, "{call}: the work of the agent is not lost");
        env.world.check(id).await;
    }
}

#[tokio::test]
async fn a_gate_without_room_says_so_and_blames_no_commit() {
    let mut env = TestEnv::new().await;
    let reason = "could not keep the log /data/evidence: No space left on device (os error 28)";
    env.world.gates.next_answer("tests", Answer::Breaks(reason.to_owned()));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let asked = env.world.question(id).await.map(|it| it.question).unwrap_or_default();
    let (class, message) = first_failure(&env, id).await;
    assert_eq!(class, FailureClass::Resource);
    assert!(message.contains("the disk is full: free some space on it"), "{message}, {asked}");
    env.world.check(id).await;
}

/// An agent that meets a full disk knows nothing of what to do about it.
#[tokio::test]
async fn an_agent_without_room_has_its_failure_say_what_to_do() {
    let mut env = TestEnv::new().await;
    let script = Script::waits().say("fail resource write: No space left on device").end(1);
    env.world.sandbox.next_plays(script);
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let (class, message) = first_failure(&env, id).await;
    assert_eq!(class, FailureClass::Resource);
    assert!(message.contains("the disk is full: free some space on it"), "{message}");
}
