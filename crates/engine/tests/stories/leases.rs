//! Workers that are taken for dead.

use std::{sync::Arc, time::Duration};

use domain::{
    definition::PipelineLimits,
    id::PipelineId,
    job::{Budget, JobStateTag},
    limits::{JOB_LOST_MAX, LEASE_HEARTBEAT, LEASE_TTL},
    pipeline::{EventKind, EventKindTag, Input, PipelineStateTag},
};
use engine::StopMode;
use ports::Clock as _;
use testkit::world::{PERSON, Reception, Script, Side, TestEnv, World, definitions};

/// How often an engine looks even if nobody wakes it.
const POLL: Duration = Duration::from_secs(5);

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

/// F14: what a worker held that was killed is taken up as soon as its lease is over, and not before.
#[tokio::test]
async fn where_others_may_be_alive_a_lease_is_waited_for() {
    let mut env = TestEnv::new().await.beside_others();
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.crash_and_restart().await;
    let moment = Duration::from_millis(1);
    env.advance(LEASE_TTL.saturating_sub(moment)).await;
    assert_eq!(env.world.sandbox.followers(), 0, "its worker might be alive");
    env.advance(LEASE_HEARTBEAT + moment).await;
    env.until("it is followed again", async |world| world.sandbox.followers() == 1).await;
    let why =
        "its worker did not renew its lease; its agent is still at work and is taken up again";
    let told = |event: &EventKind| matches!(event, EventKind::JobRetried { failure, .. } if failure.message == why);
    assert_eq!(env.world.count(id, told).await, 1);
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 1);
    env.world.check(id).await;
}

/// A run whose finishing ends the process, by hostile output or for want of memory, ends it a few times and not for
/// ever. A restart consumes no retry: the tries of the job are untouched. What the agent left is kept as soon as somebody
/// is to work in its place, so that it is not thrown away.
#[tokio::test]
async fn a_run_whose_finishing_ends_the_process_is_a_question_in_the_end() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    for time in 0..=JOB_LOST_MAX {
        env.world.calls.hang_at("git.collect", Side::Before, 1);
        assert!(env.work_into_trap().await, "it is taken up the {time}th time");
        let budget = env.world.jobs(id, JobStateTag::Running).await[0].budget;
        assert_eq!(budget, Budget { lost: time, ..Budget::default() });
        env.crash().await;
    }
    let collected = env.world.calls.answered("git.collect");
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    let question = env.world.question(id).await.unwrap().question;
    let runs = env.world.runs(id).await;
    let told =
        format!("4 times in a row, and what {} of agent `fake` left was not taken up", runs[0].id);
    assert!(question.contains(&told), "{question}");
    assert_eq!(env.world.calls.answered("git.collect"), collected, "nobody salvages it either");
    assert!(runs.len() == 1 && runs[0].ended_at.is_none(), "{runs:?}");
    let retry = Input::Retry { comment: String::new() };
    let _moved = env.engine().ask(id, &retry, PERSON).await.unwrap();
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    let runs = env.world.runs(id).await;
    assert!(runs.len() == 2 && runs[0].ended_at.is_some(), "{runs:?}");
    assert_eq!(
        env.world.calls.answered("git.collect"),
        collected + 2,
        "what the first one left is kept before the second one works in its place"
    );
    env.world.check(id).await;
}

/// An agent that is left at work, for a stage whose time is over: nobody waits for it.
async fn left_at_work_for_nobody() -> (TestEnv, PipelineId) {
    let wall_time = Duration::from_mins(1);
    let mut env = TestEnv::new().await.with_definition(definitions::build_and_ask());
    env.definition.limits =
        PipelineLimits { wall_time: Some(wall_time), ..PipelineLimits::default() };
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.clock.advance(wall_time);
    (env, id)
}

/// What an agent left that nobody waits for is kept on the side, which ends the process a few times as well and not for
/// ever. Whoever is to work in its place keeps it then.
#[tokio::test]
async fn keeping_what_nobody_waits_for_ends_the_process_a_few_times_and_not_for_ever() {
    let (mut env, id) = left_at_work_for_nobody().await;
    for time in 0..=JOB_LOST_MAX {
        env.world.calls.hang_at("git.collect", Side::Before, 1);
        assert!(env.work_into_trap().await, "it is tried the {time}th time");
        assert_eq!(env.world.runs(id).await[0].salvages, time + 1);
        env.crash().await;
    }
    let collected = env.world.calls.answered("git.collect");
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    assert_eq!(env.world.calls.answered("git.collect"), collected, "it is left alone");
    assert!(env.world.runs(id).await[0].ended_at.is_none());
    let question = env.world.question(id).await.unwrap();
    let choice = question.options[0];
    let _moved = env.engine().resolve(&question, choice, "", PERSON).await.unwrap();
    env.work_to_rest().await;
    let runs = env.world.runs(id).await;
    assert!(runs.len() == 2 && runs[0].ended_at.is_some() && runs[0].salvages == 0, "{runs:?}");
    assert_eq!(env.world.calls.answered("git.collect"), collected + 2);
    env.world.check(id).await;
}

/// Whoever cannot wait until it is kept ends the process: nothing of what was left did.
#[tokio::test]
async fn an_end_that_a_person_cannot_wait_for_is_not_counted_against_what_was_left() {
    let (mut env, id) = left_at_work_for_nobody().await;
    for time in 0..=JOB_LOST_MAX {
        env.world.calls.hang_at("git.collect", Side::Before, 1);
        assert!(env.work_into_trap().await, "it is tried the {time}th time");
        env.tell_to_stop(StopMode::StopAgents);
        let uncounted = async |world: &World| world.runs(id).await[0].salvages == 0;
        env.until("it is not counted", uncounted).await;
        env.stop(StopMode::LeaveAgents).await;
    }
    env.work_to_rest().await;
    let runs = env.world.runs(id).await;
    assert!(runs[0].ended_at.is_some() && runs[0].salvages == 0, "{runs:?}");
    env.world.check(id).await;
}

/// An agent that the engine before has left at work.
async fn left_at_work(env: &mut TestEnv) -> PipelineId {
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.stop(StopMode::LeaveAgents).await;
    id
}

/// Cancels its pipeline, without stopping it.
async fn cancel(env: &TestEnv, id: PipelineId) {
    let cancel = Input::Cancel { reason: "no need".to_owned() };
    let _moved =
        env.engine().bring(id, &cancel, PERSON).await.expect("a pipeline that can be cancelled");
}

/// Begins to keep what was left, which hangs, outside of the loop.
async fn keep_into_trap(env: &TestEnv, id: PipelineId) -> tokio::task::JoinHandle<()> {
    env.world.calls.hang_at("git.collect", Side::Before, 1);
    let engine = Arc::clone(env.engine());
    let kept = tokio::spawn(async move { engine.stop_agents_left(id).await.expect("kept") });
    env.trapped().await;
    kept
}

/// Whoever asked for something that leaves an agent behind waits no longer for it than for the loop.
#[tokio::test]
async fn an_end_that_a_person_asks_for_outside_of_the_loop_is_not_counted_either() {
    let mut env = TestEnv::new().await;
    let id = left_at_work(&mut env).await;
    cancel(&env, id).await;
    let kept = keep_into_trap(&env, id).await;
    assert_eq!(env.world.runs(id).await[0].salvages, 1);
    env.engine().stop_counting().await;
    assert_eq!(env.world.runs(id).await[0].salvages, 0);
    kept.abort();
    let _aborted = kept.await;
    // The next run of the same engine is not what was to end.
    env.world.calls.hang_at("git.collect", Side::Before, 1);
    assert!(env.work_into_trap().await);
    assert_eq!(env.world.runs(id).await[0].salvages, 1);
    env.crash().await;
    env.work_to_rest().await;
    assert!(env.world.runs(id).await[0].ended_at.is_some());
    env.world.check(id).await;
}

/// A loop ends by itself where only letters are left, which had their time: nobody has asked for an end.
#[tokio::test]
async fn an_engine_whose_letters_had_their_time_still_counts() {
    let events = &[EventKindTag::Paused, EventKindTag::Resumed];
    let mut env = TestEnv::new().await.with_destinations(&[("log", events)]);
    env.world.destinations.plan("log", &[Reception::Dawdles(Duration::from_secs(3))]);
    let id = left_at_work(&mut env).await;
    for input in [Input::Pause, Input::Resume].into_iter().cycle().take(41) {
        let _moved = env.engine().ask(id, &input, PERSON).await.unwrap();
    }
    env.work();
    env.rest_as_time_passes(Duration::from_millis(100)).await.unwrap();
    assert!(env.world.destinations.has("log").len() < 41, "some are left");
    cancel(&env, id).await;
    let kept = keep_into_trap(&env, id).await;
    assert_eq!(env.world.runs(id).await[0].salvages, 1);
    kept.abort();
}

/// F8: no kind of job falls between those who take jobs back. Every claim of a story is answered to a worker that is
/// dead by then.
#[tokio::test]
async fn whatever_a_dead_worker_held_is_taken_back() {
    for nth in 1.. {
        let mut env = TestEnv::new().await.beside_others();
        let id = env.start("Add a flag").await;
        env.world.calls.hang_at("store.claim", Side::After, nth);
        if !env.work_into_trap().await {
            assert!(nth > 6, "a story has more claims than {nth}");
            return;
        }
        env.crash_and_restart().await;
        env.rest_as_time_passes(POLL).await.unwrap();
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded, "claim {nth}");
        assert_eq!(env.world.sandbox.launches(), 1, "claim {nth}");
        env.world.check(id).await;
    }
}

/// F5: of two that find the same lease over, one takes the job back.
#[tokio::test]
async fn a_lease_that_two_find_over_is_taken_back_once() {
    let mut env = TestEnv::new().await.beside_others();
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.world.sandbox.vanish(0);
    env.crash().await;
    env.world.clock.advance(LEASE_TTL);
    let other = env.world.engine("another", engine::Tenancy::Shared);
    let taken = futures::future::join(env.engine().recover(), other.recover()).await;
    assert_eq!(taken.0.unwrap() + taken.1.unwrap(), 1);
    let jobs = env.world.jobs(id, JobStateTag::Queued).await;
    assert_eq!(jobs[0].budget, Budget { lost: 1, ..Budget::default() });
    env.world.check(id).await;
}

/// Works until the agent is followed that was launched after so many losses, which is what its job has counted.
async fn work_after_losses(env: &mut TestEnv, id: PipelineId, losses: u32) {
    env.work();
    env.until("it is followed", async |world| {
        world.sandbox.launches() == losses as usize + 1 && world.sandbox.followers() == 1
    })
    .await;
    let budget = env.world.jobs(id, JobStateTag::Running).await[0].budget;
    assert_eq!(budget, Budget { lost: losses, ..Budget::default() });
}

/// A machine that goes down takes the process, the supervisor and the agent with it: one loss and not two, so that it may
/// do so as often in a row as is allowed.
#[tokio::test]
async fn a_machine_that_goes_down_costs_one_loss_each_time() {
    let mut env = TestEnv::new().await;
    let id = env.start("Add a flag").await;
    for time in 0..JOB_LOST_MAX {
        env.world.sandbox.next_plays(Script::waits());
        work_after_losses(&mut env, id, time).await;
        env.world.sandbox.vanish(time as usize);
        env.crash().await;
    }
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), JOB_LOST_MAX as usize + 1);
    env.world.check(id).await;
}

/// An agent at work is taken up again, which is no loss; that it vanishes before its turn comes is one. What was counted
/// when a job was taken back, and what was not, cannot be told from what is found afterwards.
#[tokio::test]
async fn an_agent_that_vanishes_after_its_job_was_taken_back_is_a_loss_of_its_own() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    for time in 0..=JOB_LOST_MAX {
        work_after_losses(&mut env, id, time).await;
        env.crash().await;
        assert_eq!(env.engine().recover().await.unwrap(), 1);
        env.world.sandbox.vanish(time as usize);
        env.world.sandbox.next_plays(Script::waits());
    }
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked, "it is not tried for ever");
    assert_eq!(env.world.sandbox.launches(), JOB_LOST_MAX as usize + 1);
    env.world.check(id).await;
}

/// F11: a heartbeat that lives on beside a loop which is dead keeps work for ever. Ours is sent by the loop itself.
#[tokio::test]
async fn f11_a_loop_that_hangs_sends_no_heartbeat() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    env.world.calls.hang_at("store.claim", Side::Before, 1);
    env.world.clock.advance(LEASE_HEARTBEAT);
    env.trapped().await;
    let beats = env.world.calls.answered("store.heartbeat");
    for _ in 0..3 {
        env.world.clock.advance(LEASE_TTL);
        // Whatever else of that process is awake has its turn.
        tokio::task::yield_now().await;
    }
    assert_eq!(env.world.calls.answered("store.heartbeat"), beats);
    let lease = env.world.jobs(id, JobStateTag::Running).await[0].lease().cloned().unwrap();
    assert!(lease.expires_at < env.world.clock.now(), "anybody may take its work");
}
