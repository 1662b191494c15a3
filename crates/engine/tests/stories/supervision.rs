//! Agents that are at work and get nowhere.

use domain::{
    failure::{Failure, FailureClass},
    id::PipelineId,
    limits::{AGENT_ERROR_LIMIT, AGENT_REPEAT_LIMIT},
    pipeline::PipelineStateTag,
    run::RunOutcome,
};
use testkit::world::{Script, TestEnv};

/// Looks at the same file as often as it takes, and goes on running.
fn goes_round_in_circles() -> Script {
    let looks = 0..=AGENT_REPEAT_LIMIT;
    looks.fold(Script::waits().say("usage 100"), |script, _| {
        script.say("tool read README.md").say("result the same lines")
    })
}

async fn failures(env: &TestEnv, id: PipelineId) -> Vec<Failure> {
    let failure = |outcome| match outcome {
        Some(RunOutcome::Failed { failure }) => Some(failure),
        _ => None,
    };
    env.world.runs(id).await.into_iter().filter_map(|run| failure(run.outcome)).collect()
}

/// Lessons, 9: a loop that went on for 94 min. What it used is counted, and the next try is told.
#[tokio::test]
async fn an_agent_that_goes_round_in_circles_is_stopped_and_the_next_try_knows() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(goes_round_in_circles());
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    let failed = failures(&env, id).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].class, FailureClass::Resource);
    assert!(failed[0].message.contains("60 of which were `read README.md`"), "{failed:?}");
    let briefs = env.world.briefs.contexts();
    let (first, second) = (briefs.first().unwrap(), briefs.last().unwrap());
    assert!(first.findings.is_empty());
    assert_eq!(
        second.findings[0].message,
        format!("Your last try was stopped: {}", failed[0].message)
    );
    assert_eq!(env.world.pipeline(id).await.usage.output_tokens, 100);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    env.world.check(id).await;
}

#[tokio::test]
async fn an_agent_that_does_it_again_is_a_question() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(goes_round_in_circles());
    env.world.sandbox.next_plays(goes_round_in_circles());
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    let question = env.world.question(id).await.unwrap().question;
    assert!(question.contains("went round in circles"), "{question}");
    env.world.check(id).await;
}

/// What was heard before a crash is read again from the log, and the loop is found again.
#[tokio::test]
async fn a_loop_is_found_across_a_crash() {
    let half = (0..AGENT_REPEAT_LIMIT / 2).fold(Script::waits(), |script, _| {
        script.say("tool read README.md").say("result the same lines")
    });
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(half.clone());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.crash_and_restart().await;
    env.until("it is adopted", async |world| world.sandbox.followers() == 1).await;
    let rest = half.say("tool read README.md");
    env.world.sandbox.play(0, rest);
    env.work_to_rest().await;
    assert_eq!(failures(&env, id).await[0].class, FailureClass::Resource);
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    env.world.check(id).await;
}

#[tokio::test]
async fn an_agent_that_came_to_a_good_end_all_the_same_is_judged_by_its_work() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(goes_round_in_circles().write("flag.rs", "a flag").end(0));
    let id = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
}

/// The same error from a provider that refuses is the provider's, with the provider's budget.
#[tokio::test]
async fn errors_of_a_provider_cost_its_own_budget() {
    let mut env = TestEnv::new().await;
    let script = (0..AGENT_ERROR_LIMIT)
        .fold(Script::waits(), |script, _| script.say("fail transient overloaded"));
    env.world.sandbox.next_plays(script.end(1));
    let id = env.start("Add a flag").await;
    env.work();
    let failed = async |world: &testkit::world::World| {
        world.runs(id).await.first().is_some_and(|run| run.outcome.is_some())
    };
    env.until("it has failed", failed).await;
    assert_eq!(failures(&env, id).await[0].class, FailureClass::Transient);
}
