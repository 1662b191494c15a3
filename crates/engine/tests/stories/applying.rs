//! The one door.

use std::sync::Arc;

use domain::{
    job::{Job, JobInput, JobStateTag},
    pipeline::{Actor, EventKind, Input, Report},
    revision::CommitSha,
};
use engine::{Cause, EngineError, JobReport, Outcome};
use testkit::world::{Script, TestEnv};

fn by_person(key: &str) -> Cause {
    let actor = Actor::Person { name: "ann".to_owned() };
    Cause { actor, key: key.to_owned(), job: None, run: None, fired: None }
}

fn report(job: &Job, input: JobInput) -> JobReport {
    JobReport { job: job.clone(), input, expired_by: None }
}

#[tokio::test]
async fn an_input_that_comes_twice_moves_once() {
    let env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    let first = env.engine().apply(id, &Input::Pause, &by_person("a")).await.unwrap();
    assert!(matches!(first, Outcome::Moved(_)));
    let _moved = env.engine().apply(id, &Input::Resume, &by_person("b")).await.unwrap();
    let again = env.engine().apply(id, &Input::Pause, &by_person("a")).await.unwrap();
    assert_eq!(again, Outcome::Duplicate);
    let is_pause = |event: &EventKind| matches!(event, EventKind::Paused);
    assert_eq!(env.world.count(id, is_pause).await, 1);
    env.world.check(id).await;
}

#[tokio::test]
async fn the_report_of_a_worker_that_lost_its_lease_changes_nothing() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    env.world.calls.hang_at("git.sync", testkit::world::Side::Before, 1);
    assert!(env.work_into_trap().await);
    let job = env.world.jobs(id, JobStateTag::Running).await.remove(0);
    env.crash_and_restart().await;
    env.work_to_rest().await;
    let before = env.world.pipeline(id).await;
    let base = CommitSha::new("0".repeat(40)).unwrap();
    let input = Input::JobDone { slot: job.slot.clone(), report: Report::Opened { base } };
    let report = report(&job, JobInput::Complete { token: job.claims });
    let cause = Cause { job: Some(report), ..by_person("late") };
    let late = env.engine().apply(id, &input, &cause).await;
    assert!(matches!(late, Err(EngineError::Refused(_))), "{late:?}");
    assert_eq!(env.world.pipeline(id).await, before);
}

#[tokio::test]
async fn a_report_with_an_old_token_is_fenced_even_where_the_pipeline_waits_for_it() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    let old = env.world.jobs(id, JobStateTag::Running).await.remove(0);
    env.crash_and_restart().await;
    env.until("it is adopted", async |world| world.sandbox.followers() == 1).await;
    let before = env.world.pipeline(id).await;
    let failure = domain::failure::Failure::new(domain::failure::FailureClass::Lost, "late");
    let usage = domain::usage::Usage::default();
    let input = Input::JobRetried { slot: old.slot.clone(), failure, usage };
    let report = report(&old, JobInput::Release { token: old.claims });
    let cause = Cause { job: Some(report), ..by_person("late") };
    assert_eq!(env.engine().apply(id, &input, &cause).await.unwrap(), Outcome::Fenced);
    assert_eq!(env.world.pipeline(id).await, before);
}

#[tokio::test]
async fn of_two_inputs_at_once_both_move_or_one_is_refused_and_no_version_is_left_out() {
    for seed in 0..100 {
        let env = TestEnv::new().await;
        let id = env.start("Add a flag").await;
        env.world.calls.shuffle(seed);
        let apply = |input: Input, key: &'static str| {
            let engine = Arc::clone(env.engine());
            async move { engine.apply(id, &input, &by_person(key)).await }
        };
        let cancel = Input::Cancel { reason: "no need".to_owned() };
        let (pause, cancel) = tokio::join!(apply(Input::Pause, "a"), apply(cancel, "b"));
        let moved = [pause, cancel].into_iter().filter(|outcome| match outcome {
            Ok(Outcome::Moved(_)) => true,
            Err(EngineError::Refused(_)) => false,
            other => panic!("seed {seed}: {other:?}"),
        });
        let version = env.world.pipeline(id).await.version;
        assert_eq!(version, 1 + moved.count() as u64, "seed {seed}");
        env.world.check(id).await;
    }
}
