//! Workspaces that an end has left behind.

use domain::{
    job::{Budget, JobStateTag},
    limits::JOB_LOST_MAX,
    pipeline::{EventKind, Input, PipelineStateTag},
};
use engine::StopMode;
use testkit::world::{PERSON, Script, Side, TestEnv};

/// It ended the process each time, which is not tried for ever as a job; nor does the workspace stay for ever.
#[tokio::test]
async fn a_workspace_whose_clean_up_was_given_up_is_removed_by_the_next_look() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    for time in 0..=JOB_LOST_MAX {
        env.world.calls.hang_at("git.remove_workspace", Side::Before, 1);
        assert!(env.work_into_trap().await, "it is tried the {time}th time");
        env.crash().await;
    }
    assert_eq!(env.world.git.workspaces(), 1);
    env.work_to_rest().await;
    let given_up = |event: &EventKind| matches!(event, EventKind::JobFailed { .. });
    assert_eq!(env.world.count(id, given_up).await, 1);
    assert_eq!(env.world.git.workspaces(), 0);
    assert_eq!(env.world.calls.answered("git.sweep_workspace"), 1);
    env.world.check(id).await;
}

/// Neither of one that goes on, nor of one whose clean-up is still to come.
#[tokio::test]
async fn workspaces_that_somebody_will_want_or_remove_are_left_to_them() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.stop(StopMode::LeaveAgents).await;
    let looked = env.world.calls.answered("git.list_workspaces");
    env.work();
    env.until("it was looked", async |world| {
        world.calls.answered("git.list_workspaces") > looked && world.sandbox.followers() == 1
    })
    .await;
    env.stop(StopMode::LeaveAgents).await;
    let cancel = Input::Cancel { reason: "enough".to_owned() };
    let _moved = env.engine().ask(id, &cancel, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Cancelled);
    assert_eq!(env.world.git.workspaces(), 0, "its clean-up has removed it");
    assert_eq!(env.world.calls.answered("git.sweep_workspace"), 0);
    env.world.check(id).await;
}

/// Whoever ends the process while it removes something is what ended it, however often.
#[tokio::test]
async fn a_clean_up_that_a_person_cannot_wait_for_is_no_loss() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    for mode in [StopMode::StopAgents, StopMode::LeaveAgents].into_iter().cycle().take(6) {
        env.world.calls.hang_at("git.remove_workspace", Side::Before, 1);
        assert!(env.work_into_trap().await, "{mode:?}: it is tried");
        env.stop(mode).await;
        let waiting = env.world.jobs(id, JobStateTag::Queued).await;
        assert_eq!(waiting[0].budget, Budget::default(), "{mode:?}");
    }
    env.work_to_rest().await;
    assert_eq!(env.world.git.workspaces(), 0);
    assert_eq!(env.world.calls.answered("git.sweep_workspace"), 0, "nobody gave it up");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_look_for_what_was_left_behind_keeps_nobody_from_stopping() {
    for mode in [StopMode::StopAgents, StopMode::LeaveAgents] {
        let mut env = TestEnv::new().await;
        env.world.calls.hang_at("git.list_workspaces", Side::Before, 1);
        assert!(env.work_into_trap().await);
        env.stop(mode).await;
    }
}
