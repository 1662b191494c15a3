//! Pipelines that nothing would move.

use domain::{
    decision::DecisionKind,
    job::{JobInput, JobState, JobStateTag},
    limits::LIVENESS_CHECK,
    pipeline::{EventKind, Input, PipelineStateTag},
};
use ports::{Claim, JobUpdate};
use testkit::{
    store_conformance::fixtures,
    world::{PERSON, Script, TestEnv},
};

/// A pipeline that was started, and whose first job has ended without a word to it.
async fn stranded() -> (TestEnv, domain::id::PipelineId) {
    let env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    lose_a_job(&env, id).await;
    (env, id)
}

/// Ends the job that is queued without telling its pipeline, which no code of ours would do.
async fn lose_a_job(env: &TestEnv, id: domain::id::PipelineId) {
    let now = ports::Clock::now(&*env.world.clock);
    let claim = Claim { owner: "nobody".to_owned(), ..fixtures::claim(now) };
    let job = env.world.store.claim(&claim).await.expect("the store is well").remove(0);
    assert_eq!(job.pipeline, id);
    let JobState::Running { lease } = &job.state else { panic!("it was claimed") };
    let complete = JobInput::Complete { token: lease.token };
    let next = job.decide(&complete, now).expect("it runs");
    let token = lease.token;
    let lost = JobUpdate { job: job.id, token, next, last_error: None, expired_by: None };
    assert!(env.world.store.settle_job(&lost).await.expect("the store is well"));
}

#[tokio::test]
async fn a_pipeline_that_nothing_would_move_is_a_question_and_goes_on_from_there() {
    let (mut env, id) = stranded().await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.question(id).await.unwrap().kind, DecisionKind::Escalation);
    env.world.check(id).await;
    let retry = Input::Retry { comment: String::new() };
    let _moved = env.engine().ask(id, &retry, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    env.world.check(id).await;
}

#[tokio::test]
async fn it_is_found_while_others_are_at_work_and_asked_about_once() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let busy = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.world.calls.hang_at("store.claim", testkit::world::Side::Before, 1);
    let id = env.start("Add a switch").await;
    env.trapped().await;
    lose_a_job(&env, id).await;
    env.crash_and_restart().await;
    let asked =
        async |world: &testkit::world::World| world.state(id).await == PipelineStateTag::Blocked;
    env.until("a person is asked", asked).await;
    env.advance(LIVENESS_CHECK).await;
    let told = |event: &EventKind| matches!(event, EventKind::Stranded { .. });
    assert_eq!(env.world.count(id, told).await, 1);
    assert_eq!(env.world.count(busy, told).await, 0);
    assert_eq!(env.world.jobs(busy, JobStateTag::Running).await.len(), 1);
}
