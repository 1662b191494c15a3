//! Onto the target, one after the other.

use domain::{
    job::JobStateTag,
    pipeline::{EventKind, PipelineStateTag},
};
use testkit::world::{TestEnv, World};

#[tokio::test]
async fn two_pipelines_of_a_project_land_one_after_the_other() {
    let mut env = TestEnv::new().await;
    let ids = [env.start("Add a flag").await, env.start("Add a switch").await];
    env.world.gates.hold("mergeable");
    env.work();
    let waits = async |world: &World| {
        let (one, other) =
            (world.jobs(ids[0], JobStateTag::Queued), world.jobs(ids[1], JobStateTag::Queued));
        let queued = [one.await, other.await].concat();
        world.gates.times_asked("mergeable") == 1 && queued.iter().any(|job| job.exclusive)
    };
    env.until("one is judged and the other waits", waits).await;
    env.world.gates.release("mergeable");
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 2);
    let moved = |event: &EventKind| matches!(event, EventKind::TargetMoved { .. });
    for id in ids {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
        assert_eq!(env.world.count(id, moved).await, 0, "nobody was in the way");
        env.world.check(id).await;
    }
}

#[tokio::test]
async fn a_target_that_moves_during_the_gate_is_integrated_again() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    env.world.gates.hold("mergeable");
    env.work();
    let asked = async |world: &World| world.gates.times_asked("mergeable") == 1;
    env.until("the gate is asked", asked).await;
    env.world.git.people_commit(&env.project, "main", "other.rs", "theirs");
    env.world.gates.release("mergeable");
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.gates.times_asked("mergeable"), 2, "the new tree is judged anew");
    let file = |path| env.world.git.people_file(&env.project, "main", path);
    assert_eq!(file("other.rs").as_deref(), Some("theirs"));
    assert!(file("work-0.txt").is_some());
    env.world.check(id).await;
}

#[tokio::test]
async fn a_pipeline_that_contradicts_the_target_is_sent_back_mended_and_merged() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    env.world.sandbox.next_plays(testkit::world::Script::writes("README", "ours"));
    env.world.gates.hold("tests");
    env.work();
    let asked = async |world: &World| world.gates.times_asked("tests") == 1;
    env.until("the gate is asked", asked).await;
    env.world.git.people_commit(&env.project, "main", "README", "theirs");
    env.world.gates.release("tests");
    let other = env.start("Add a switch").await;
    env.work_to_rest().await;
    let sent_back = |event: &EventKind| matches!(event, EventKind::SentBack { .. });
    assert!(env.world.count(id, sent_back).await > 0);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.state(other).await, PipelineStateTag::Succeeded);
}
