//! Workers that are taken for dead.

use domain::{
    job::{Budget, JobStateTag},
    limits::LEASE_HEARTBEAT,
    pipeline::{EventKind, PipelineStateTag},
};
use testkit::world::{Script, TestEnv};

#[tokio::test]
async fn jobs_of_a_dead_owner_go_back_and_cost_nothing() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    assert_eq!(env.engine().recover().await.unwrap(), 0, "our own are not lost");
    env.crash().await;
    assert_eq!(env.engine().recover().await.unwrap(), 1);
    assert_eq!(env.engine().recover().await.unwrap(), 0);
    let jobs = env.world.jobs(id, JobStateTag::Queued).await;
    assert_eq!(jobs[0].budget, Budget::default());
    env.world.check(id).await;
}

#[tokio::test]
async fn a_worker_that_loses_its_lease_changes_nothing() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.take_for_dead();
    env.until("it is adopted", async |world| world.sandbox.followers() == 2).await;
    let before = env.world.pipeline(id).await;
    env.advance(LEASE_HEARTBEAT).await;
    env.until("the first lets go", async |world| world.sandbox.followers() == 1).await;
    assert!(env.world.sandbox.is_running(0), "the agent is somebody else's now");
    assert!(env.world.runs(id).await[0].ended_at.is_none());
    assert_eq!(env.world.pipeline(id).await, before);
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let finished = |event: &EventKind| matches!(event, EventKind::AgentFinished { .. });
    assert_eq!(env.world.count(id, finished).await, 1);
    assert_eq!(env.world.sandbox.launches(), 1);
    env.world.check(id).await;
}
