//! Agents that say nothing, and timers.

use std::time::Duration;

use domain::{
    definition::PipelineLimits,
    failure::FailureClass,
    limits::AGENT_TOOL_LIMIT,
    pipeline::{EventKind, PipelineStateTag},
    run::RunOutcome,
};
use engine::StopMode;
use testkit::world::{STALL_LIMIT, Script, TestEnv};

/// An agent that was launched and is followed.
async fn followed(script: Script) -> (TestEnv, domain::id::PipelineId) {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(script);
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    (env, id)
}

async fn failure_of_first_run(env: &TestEnv, id: domain::id::PipelineId) -> FailureClass {
    let outcome = env.world.runs(id).await[0].outcome.clone();
    match outcome.expect("it has ended") {
        RunOutcome::Failed { failure } => failure.class,
        RunOutcome::Ended { summary } => panic!("it ended well: {summary}"),
    }
}

#[tokio::test]
async fn a_stalled_agent_is_stopped_at_its_stall_limit() {
    let (mut env, id) = followed(Script::waits().say("let me think")).await;
    env.advance(STALL_LIMIT.saturating_sub(Duration::from_millis(1))).await;
    assert!(env.world.sandbox.is_running(0));
    env.advance(Duration::from_millis(1)).await;
    env.work_to_rest().await;
    assert_eq!(failure_of_first_run(&env, id).await, FailureClass::Resource);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "the second try does it");
    assert_eq!(env.world.sandbox.launches(), 2);
}

#[tokio::test]
async fn a_long_tool_call_is_not_a_stall() {
    let (mut env, id) = followed(Script::waits().say("tool bash")).await;
    env.advance(AGENT_TOOL_LIMIT.saturating_sub(Duration::from_millis(1))).await;
    env.world.sandbox.play(0, Script::waits().say("result").write("flag.rs", "a flag").end(0));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
}

#[tokio::test]
async fn silence_after_a_tool_call_is_a_stall_again() {
    let (mut env, id) = followed(Script::waits().say("tool bash").say("result")).await;
    env.advance(STALL_LIMIT).await;
    env.work_to_rest().await;
    assert_eq!(failure_of_first_run(&env, id).await, FailureClass::Resource);
}

#[tokio::test]
async fn a_sandbox_that_vanishes_costs_no_budget() {
    let (mut env, id) = followed(Script::waits()).await;
    env.world.sandbox.vanish(0);
    env.work_to_rest().await;
    assert_eq!(failure_of_first_run(&env, id).await, FailureClass::Lost);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

#[tokio::test]
async fn a_timer_that_came_due_while_nobody_was_there_fires_once() {
    let mut env = TestEnv::new().await;
    env.definition.limits =
        PipelineLimits { wall_time: Some(Duration::from_hours(1)), ..PipelineLimits::default() };
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.clock.advance(Duration::from_hours(2));
    for _ in 0..2 {
        env.work_to_rest().await;
        assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
        let is_block = |event: &EventKind| matches!(event, EventKind::Blocked { .. });
        assert_eq!(env.world.count(id, is_block).await, 1);
        assert!(!env.world.sandbox.is_running(0), "nobody waits for it any more");
        env.world.check(id).await;
    }
}

#[tokio::test]
async fn a_timer_that_is_far_off_keeps_nobody_waiting() {
    let env = TestEnv::new().await;
    let mut env = env.with_definition(testkit::world::definitions::build_and_ask());
    env.definition.limits.wall_time = Some(Duration::from_hours(1));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::AwaitingHuman);
}
