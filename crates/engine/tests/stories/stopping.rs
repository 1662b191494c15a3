//! Stopping in good order.

use std::time::Duration;

use domain::{
    definition::PipelineLimits,
    id::PipelineId,
    job::{Budget, JobStateTag},
    limits::AGENT_STOP_GRACE,
    pipeline::{EventKind, Input, PipelineStateTag},
};
use engine::StopMode;
use testkit::world::{PERSON, Script, Side, TestEnv, World, definitions};

/// An agent that has done half of its work and is followed.
async fn half_done() -> (TestEnv, PipelineId) {
    let mut env = TestEnv::new().await;
    let half = Script::waits().say("session s-1").write("half.rs", "half");
    env.world.sandbox.next_plays(half);
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    (env, id)
}

#[tokio::test]
async fn stopping_agents_keeps_what_they_left_and_touches_no_budget() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::StopAgents).await;
    assert!(!env.world.sandbox.is_running(0));
    assert!(env.world.git.keeps("half.rs", "half"));
    let jobs = env.world.jobs(id, JobStateTag::Queued).await;
    assert_eq!(jobs[0].budget, Budget::default());
    let run = env.world.runs(id).await.remove(0);
    assert!(run.ended_at.is_some() && run.left.is_some(), "{run:?}");
    env.world.check(id).await;
}

#[tokio::test]
async fn the_next_run_goes_on_from_the_commit_and_the_session_that_were_left() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::StopAgents).await;
    env.world.sandbox.next_plays(Script::writes("rest.rs", "rest"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.spec(1).argv[1..], ["--resume", "s-1"]);
    let file = |path| env.world.git.people_file(&env.project, "main", path);
    assert_eq!(
        (file("half.rs").as_deref(), file("rest.rs").as_deref()),
        (Some("half"), Some("rest"))
    );
    env.world.check(id).await;
}

#[tokio::test]
async fn an_agent_that_is_left_is_adopted_and_launched_exactly_once() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::LeaveAgents).await;
    assert!(env.world.sandbox.is_running(0));
    env.work();
    env.until("it is adopted", async |world| world.sandbox.followers() == 1).await;
    env.world.sandbox.play(0, Script::writes("rest.rs", "rest"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!((env.world.sandbox.launches(), env.world.runs(id).await.len()), (1, 1));
    env.world.check(id).await;
}

#[tokio::test]
async fn an_agent_that_ended_while_nobody_was_there_is_taken_up() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.sandbox.play(0, Script::writes("rest.rs", "rest"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
}

#[tokio::test]
async fn who_cannot_wait_for_agents_to_stop_loses_nothing() {
    let (mut env, id) = half_done().await;
    env.world.calls.hang_at("git.collect", Side::Before, 1);
    env.tell_to_stop(StopMode::StopAgents);
    env.trapped().await;
    env.stop(StopMode::LeaveAgents).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let half = env.world.git.people_file(&env.project, "main", "half.rs");
    assert_eq!(half.as_deref(), Some("half"));
    env.world.check(id).await;
}

#[tokio::test]
async fn a_job_cancelled_under_a_running_agent_stops_the_agent_and_salvages() {
    let (mut env, id) = half_done().await;
    let cancel = Input::Cancel { reason: "no need".to_owned() };
    let _moved = env.engine().ask(id, &cancel, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Cancelled);
    assert_left_nothing_behind(&env, id).await;
}

/// Gives whatever is in a hurry time to be too fast, while an agent that defies is being stopped; then it is over.
async fn wait_out_the_grace(env: &mut TestEnv) {
    for _ in 1..AGENT_STOP_GRACE.as_secs() {
        env.advance(Duration::from_secs(1)).await;
    }
    assert!(env.world.sandbox.is_running(0));
    assert_eq!(env.world.sandbox.launches(), 1, "two agents in one workspace");
    env.rest_as_time_passes(Duration::from_secs(1)).await.expect("an engine that ends well");
}

#[tokio::test]
async fn the_clean_up_waits_for_an_agent_that_takes_its_time_to_stop() {
    let (mut env, id) = half_done().await;
    env.world.sandbox.play(0, Script::waits().defies());
    let cancel = Input::Cancel { reason: "no need".to_owned() };
    let _moved = env.engine().ask(id, &cancel, PERSON).await.unwrap();
    wait_out_the_grace(&mut env).await;
    assert_left_nothing_behind(&env, id).await;
}

#[tokio::test]
async fn a_stage_begun_anew_waits_for_an_agent_that_takes_its_time_to_stop() {
    let (mut env, id) = half_done().await;
    env.world.sandbox.play(0, Script::waits().defies());
    let restart = Input::RestartStage { stage: env.definition.start.clone() };
    let _moved = env.engine().ask(id, &restart, PERSON).await.unwrap();
    wait_out_the_grace(&mut env).await;
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

/// Its agent is stopped, its work kept, its workspace gone, and nobody counts what came of it.
async fn assert_left_nothing_behind(env: &TestEnv, id: PipelineId) {
    assert!(!env.world.sandbox.is_running(0), "nobody would ever stop it");
    assert!(env.world.git.keeps("half.rs", "half"), "what it left is salvaged");
    assert!(env.world.runs(id).await[0].ended_at.is_some());
    assert_eq!(env.world.git.workspaces(), 0);
    let finished = |event: &EventKind| matches!(event, EventKind::AgentFinished { .. });
    assert_eq!(env.world.count(id, finished).await, 0);
    env.world.check(id).await;
}

#[tokio::test]
async fn an_agent_left_behind_by_a_pipeline_that_was_cancelled_meanwhile_is_stopped() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::LeaveAgents).await;
    let cancel = Input::Cancel { reason: "no need".to_owned() };
    let _moved = env.engine().ask(id, &cancel, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_left_nothing_behind(&env, id).await;
}

/// Who is to end within seconds does not read to its end what may have none.
#[tokio::test]
async fn an_agent_that_talks_without_end_keeps_nobody_from_stopping() {
    const WORDS: usize = 10_000_000;
    for mode in [StopMode::LeaveAgents, StopMode::StopAgents] {
        let mut env = TestEnv::new().await;
        // Others have their turn while the words are read.
        env.world.calls.shuffle(1);
        env.world.sandbox.next_plays(Script::waits().say(&"x".repeat(WORDS)));
        let id = env.start("Add a flag").await;
        env.work();
        env.until("its words are read", async |world| world.calls.answered("sandbox.read_log") > 1)
            .await;
        env.tell_to_stop(mode);
        if mode == StopMode::StopAgents {
            let is_stopped = async |world: &World| !world.sandbox.is_running(0);
            env.until("it is stopped", is_stopped).await;
        } else {
            env.ended().await.expect("an engine that ends well");
            assert!(env.world.sandbox.is_running(0));
        }
        let read = env.world.calls.answered("sandbox.read_log");
        assert!(read < 20, "{mode:?}: {read} pieces of {WORDS} bytes were read before");
        env.world.check(id).await;
    }
}

/// What it left is not read to its end, and nothing of it is lost, done again or counted.
#[tokio::test]
async fn an_agent_that_has_said_much_and_ended_is_left_to_the_next_process() {
    const WORDS: usize = 10_000_000;
    for mode in [StopMode::LeaveAgents, StopMode::StopAgents] {
        let mut env = TestEnv::new().await;
        env.world.calls.shuffle(1);
        let words = Script::waits().say(&"x".repeat(WORDS)).write("flag.rs", "a flag").end(0);
        env.world.sandbox.next_plays(words);
        let id = env.start("Add a flag").await;
        env.work();
        env.until("its words are read", async |world| world.calls.answered("sandbox.read_log") > 1)
            .await;
        env.stop(mode).await;
        let read = env.world.calls.answered("sandbox.read_log");
        assert!(read < 20, "{mode:?}: {read} pieces of {WORDS} bytes were read before");
        assert_eq!(env.world.jobs(id, JobStateTag::Queued).await[0].budget, Budget::default());
        assert!(env.world.runs(id).await[0].ended_at.is_none());
        env.work_to_rest().await;
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
        assert_eq!(env.world.sandbox.launches(), 1, "{mode:?}");
        env.world.check(id).await;
    }
}

/// Whoever works in the place of an agent must not write over what could not be kept yet.
#[tokio::test]
async fn a_disk_that_is_full_keeps_the_next_agent_from_work_that_is_not_kept() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.git.fill_disk_at("git.collect");
    let restart = Input::RestartStage { stage: env.definition.start.clone() };
    let _moved = env.engine().ask(id, &restart, PERSON).await.unwrap();
    assert!(!env.world.sandbox.is_running(0), "it is stopped all the same");
    assert!(env.world.runs(id).await[0].ended_at.is_none(), "what it left is not kept");
    // Once for who looks on the side, and once for who wants the place.
    env.world.git.fill_disk_at("git.open_workspace");
    env.world.git.fill_disk_at("git.collect");
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert!(env.world.git.keeps("half.rs", "half"), "nobody wrote over it");
    let no_room = |event: &EventKind| matches!(event, EventKind::JobRetried { failure, .. } if failure.message.contains("no room to keep"));
    assert_eq!(env.world.count(id, no_room).await, 1);
    assert!(env.world.runs(id).await.iter().all(|run| run.ended_at.is_some()));
    env.world.check(id).await;
}

/// Stops an agent at the end of its stage's time, in a process that has nothing else to do, while the store has no room to
/// say so for that many calls.
async fn end_while_the_store_is_full(times: u32) -> (TestEnv, PipelineId) {
    let wall_time = Duration::from_mins(1);
    let mut env = TestEnv::new().await.with_definition(definitions::build_and_ask());
    env.definition.limits =
        PipelineLimits { wall_time: Some(wall_time), ..PipelineLimits::default() };
    env.world.sandbox.next_plays(Script::waits().write("half.rs", "half"));
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.clock.advance(wall_time);
    let full = || ports::StoreError::DiskFull { operation: "write" };
    env.world.watched_store.refuse(Some("store.settle_run"), times, full);
    env.work();
    env.rest_as_time_passes(Duration::from_secs(1)).await.expect("an engine that ends well");
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    (env, id)
}

/// Nobody may look again for long: the last look is more than one try, and not for ever.
#[tokio::test]
async fn a_process_that_ends_waits_a_while_for_room_to_keep_what_an_agent_left() {
    let (env, id) = end_while_the_store_is_full(7).await;
    assert!(env.world.runs(id).await[0].ended_at.is_some(), "it is kept as soon as there is room");
    assert!(env.world.git.keeps("half.rs", "half"));
    env.world.check(id).await;
    let (mut env, id) = end_while_the_store_is_full(u32::MAX).await;
    assert!(env.world.runs(id).await[0].ended_at.is_none());
    env.world.watched_store.refuse(None, 0, || ports::StoreError::DiskFull { operation: "write" });
    env.work_to_rest().await;
    assert!(env.world.runs(id).await[0].ended_at.is_some(), "the next process keeps it");
    env.world.check(id).await;
}

#[tokio::test]
async fn a_stage_begun_anew_never_has_two_agents_in_one_workspace() {
    let (mut env, id) = half_done().await;
    env.stop(StopMode::LeaveAgents).await;
    let stage = env.definition.start.clone();
    let restart = Input::RestartStage { stage };
    let _moved = env.engine().ask(id, &restart, PERSON).await.unwrap();
    env.world.sandbox.next_plays(Script::waits());
    env.work();
    env.until("the second is followed", async |world| world.sandbox.is_running(1)).await;
    assert!(!env.world.sandbox.is_running(0), "two agents in one workspace");
    env.world.sandbox.play(1, Script::writes("rest.rs", "rest"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}
