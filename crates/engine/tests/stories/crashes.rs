//! A process that dies, anywhere.

use domain::{
    id::PipelineId,
    pipeline::{EventKind, PipelineStateTag},
};
use testkit::world::{Script, Side, TestEnv};

/// A pipeline whose agent uses 10 tokens.
async fn started() -> (TestEnv, PipelineId) {
    let env = TestEnv::new().await;
    let agent = Script::waits().say("usage 10").write("flag.rs", "a flag").end(0);
    env.world.sandbox.next_plays(agent);
    let id = env.start("Add a flag").await;
    (env, id)
}

/// The end is what it would have been without the crash.
async fn assert_as_ever(env: &TestEnv, id: PipelineId, crash: &str) {
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "{crash}");
    assert_eq!(env.world.sandbox.launches(), 1, "{crash}");
    let finished = |event: &EventKind| matches!(event, EventKind::AgentFinished { .. });
    assert_eq!(env.world.count(id, finished).await, 1, "{crash}");
    assert_eq!(env.world.pipeline(id).await.usage.output_tokens, 10, "{crash}");
    assert_eq!(env.world.git.landings(&env.project), 1, "{crash}");
    let runs = env.world.runs(id).await;
    assert!(runs.iter().all(|run| run.ended_at.is_some()) && runs.len() == 1, "{crash}: {runs:?}");
    assert_eq!(env.world.git.workspaces(), 0, "{crash}");
    env.world.check(id).await;
}

async fn crash_at(call: &'static str, side: Side, nth: u64) {
    let (mut env, id) = started().await;
    env.world.calls.hang_at(call, side, nth);
    assert!(env.work_into_trap().await, "`{call}` is called");
    env.crash().await;
    env.work_to_rest().await;
    assert_as_ever(&env, id, call).await;
}

#[tokio::test]
async fn a_crash_between_the_record_of_a_run_and_its_launch_launches_once() {
    crash_at("store.save_run", Side::After, 1).await;
}

#[tokio::test]
async fn a_crash_between_launch_and_answer_launches_once() {
    // The first thing that is launched prepares the workspace.
    crash_at("sandbox.launch", Side::After, 2).await;
}

#[tokio::test]
async fn a_crash_between_the_end_of_an_agent_and_its_report_counts_its_result_once() {
    crash_at("git.collect", Side::After, 1).await;
    // The first report is that of the opened repository.
    crash_at("store.apply", Side::Before, 2).await;
}

#[tokio::test]
async fn a_crash_after_the_commit_of_a_report_counts_its_result_once() {
    crash_at("store.apply", Side::After, 2).await;
}

#[tokio::test]
async fn a_crash_at_any_call_of_any_port_changes_nothing_about_the_end() {
    for number in 1.. {
        let (mut env, id) = started().await;
        env.world.calls.hang_at_number(number);
        if !env.work_into_trap().await {
            assert!(number > 100, "a story has more calls than {number}");
            return;
        }
        let crash = format!("crash {number}, at {:?}", env.world.calls.sprung());
        env.crash().await;
        env.work_to_rest().await;
        assert_as_ever(&env, id, &crash).await;
    }
}
