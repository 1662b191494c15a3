//! The loop itself: nothing keeps it, and it does nothing too often.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    definition::PipelineLimits,
    explain::Slots,
    failure::FailureClass,
    id::PipelineId,
    job::JobStateTag,
    limits::{JOB_OVERDUE, LEASE_HEARTBEAT, LIVENESS_CHECK},
    name::AgentName,
    pipeline::{EventKind, PipelineStateTag},
};
use engine::{Keepers, StopMode};
use ports::{Clock as _, Held, StoreError};
use testkit::world::{Script, Side, TestEnv, World, definitions};

/// How long the pipelines of these stories may take.
const WALL_TIME: Duration = Duration::from_mins(1);

async fn with_wall_time() -> TestEnv {
    let mut env = TestEnv::new().await.with_definition(definitions::build_and_ask());
    env.definition.limits =
        PipelineLimits { wall_time: Some(WALL_TIME), ..PipelineLimits::default() };
    env
}

async fn followed(env: &mut TestEnv, script: Script) -> PipelineId {
    env.world.sandbox.next_plays(script);
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it is followed", async |world| world.sandbox.followers() == 1).await;
    id
}

/// However many are due: each is looked at by itself, and all of them are listed once.
#[tokio::test]
async fn timers_that_are_due_at_once_are_listed_once() {
    let mut env = with_wall_time().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(env.start(&format!("Add flag {number}")).await);
    }
    env.work_to_rest().await;
    env.world.clock.advance(WALL_TIME);
    let listed = env.world.calls.answered("store.list_due_timers");
    env.world.calls.hang_at("store.claim", Side::Before, 1);
    assert!(env.work_into_trap().await);
    assert_eq!(env.world.calls.answered("store.list_due_timers") - listed, 1);
    for id in ids {
        let is_block = |event: &EventKind| matches!(event, EventKind::Blocked { .. });
        assert_eq!(env.world.count(id, is_block).await, 1);
    }
}

/// An agent that another process left, and that takes its time to stop once a timer has ended its work.
#[tokio::test]
async fn what_a_timer_leaves_behind_is_stopped_beside_the_loop() {
    let mut env = with_wall_time().await;
    let late = followed(&mut env, Script::waits().defies()).await;
    env.stop(StopMode::LeaveAgents).await;
    env.world.clock.advance(WALL_TIME);
    env.work();
    env.until("it is asked to stop", async |world| world.calls.answered("sandbox.stop") > 0).await;
    assert_eq!(env.world.state(late).await, PipelineStateTag::Blocked);
    let other = env.start("Add a switch").await;
    let asks = async |world: &World| world.state(other).await == PipelineStateTag::AwaitingHuman;
    env.until("the other one is done meanwhile", asks).await;
    assert!(env.world.sandbox.is_running(0), "its grace is not over");
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert!(!env.world.sandbox.is_running(0));
}

/// Stopping an agent may take longer than a lease lasts, and nobody else may take its job meanwhile.
#[tokio::test]
async fn leases_are_renewed_while_agents_are_being_stopped() {
    let mut env = TestEnv::new().await;
    followed(&mut env, Script::waits().defies()).await;
    env.world.clock.advance(LEASE_HEARTBEAT / 2);
    env.tell_to_stop(StopMode::StopAgents);
    env.until("it is asked to stop", async |world| world.calls.answered("sandbox.stop") > 0).await;
    let beats = env.world.calls.answered("store.heartbeat");
    env.world.clock.advance(LEASE_HEARTBEAT / 2);
    let renewed = async |world: &World| world.calls.answered("store.heartbeat") > beats;
    env.until("its lease is renewed", renewed).await;
    assert!(env.world.sandbox.is_running(0));
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
}

/// A store that is unwell now and then, for the length of a long life, is no store that stays away.
#[tokio::test]
async fn only_refusals_in_a_row_end_the_engine() {
    const REFUSALS: u32 = 20;
    let mut env = TestEnv::new().await;
    let id = followed(&mut env, Script::waits().say("tool bash")).await;
    for _ in 0..2 {
        let overloaded = || StoreError::Overloaded { waiting: 9 };
        env.world.watched_store.refuse(Some("store.list_due_timers"), REFUSALS, overloaded);
        for left in (0..REFUSALS).rev() {
            env.world.bell.ring();
            let met = async |world: &World| world.watched_store.refusals_left() <= left;
            env.until("it is refused", met).await;
            env.world.clock.advance(Duration::from_secs(1));
        }
        env.advance(Duration::from_secs(1)).await;
    }
    env.world.sandbox.play(0, Script::writes("flag.rs", "a flag"));
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
}

/// Whether something is overdue is a question to all jobs: it is asked once a minute, however busy the loop is.
#[tokio::test]
async fn what_is_overdue_is_looked_for_once_a_minute() {
    let mut env = TestEnv::new().await;
    for title in ["One", "Two", "Three", "Four"] {
        env.world.sandbox.next_plays(Script::waits().say("tool bash"));
        env.start(title).await;
    }
    env.work();
    env.until("they are followed", async |world| world.sandbox.followers() == 4).await;
    env.start("Five").await;
    for _ in 0..4 {
        env.advance(LIVENESS_CHECK).await;
    }
    let asked = env.world.calls.answered("store.list_jobs");
    for _ in 0..5 {
        env.advance(Duration::from_millis(1)).await;
    }
    assert_eq!(env.world.calls.answered("store.list_jobs"), asked);
    let read = env.world.calls.answered("store.find_damage");
    assert_eq!(read, 0, "no alarm would be about a job that waits for a slot");
    env.stop(StopMode::LeaveAgents).await;
}

/// The engine's alarm and `queue` ask the same.
#[tokio::test]
async fn what_keeps_a_job_keeps_no_alarm_about_another_one() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
    let id = env.start("Add a flag").await;
    env.work();
    env.until("it waits for its next try", async |world| {
        let waits = world.jobs(id, JobStateTag::Queued).await;
        world.sandbox.launches() == 1 && waits.iter().any(|job| job.agent.is_some())
    })
    .await;
    env.crash().await;
    env.world.clock.advance(JOB_OVERDUE);
    let other = env.start("Add a switch").await;
    env.world.clock.advance(JOB_OVERDUE * 2);
    let now = env.world.clock.now();
    let [fake, nobody] = ["fake", "nobody"].map(|name| AgentName::new(name).unwrap());
    let of_agent = |name: &AgentName| Held { agents: [name.clone()].into(), processes: false };
    let processes = Held { processes: true, ..Held::default() };
    let slots = Slots { total: 4, per_project: None, per_agent: None };
    let guards = BTreeMap::new();
    let overdue = async |held: &Held| {
        let keepers = Keepers { slots, guards: &guards, held };
        let found = keepers.find_overdue(&*env.world.store, now).await.unwrap();
        found.map(|job| job.pipeline)
    };
    // The one that failed waits for an agent, the other one for its repository: that starts no process.
    let cases = [(Held::default(), id), (of_agent(&nobody), id)];
    let kept = [(of_agent(&fake), other), (processes, other)];
    for (held, told) in cases.into_iter().chain(kept) {
        assert_eq!(overdue(&held).await, Some(told), "{held:?}");
    }
}

/// A job that is due and that no slot is free for must not be taken for the next thing to happen.
#[tokio::test]
async fn a_job_that_waits_for_a_slot_does_not_keep_the_loop_busy() {
    let mut env = TestEnv::new().await;
    for title in ["One", "Two", "Three", "Four"] {
        env.world.sandbox.next_plays(Script::waits());
        env.start(title).await;
    }
    env.work();
    env.until("they are followed", async |world| world.sandbox.followers() == 4).await;
    let fifth = env.start("Five").await;
    let waits = async |world: &World| {
        world.jobs(fifth, JobStateTag::Queued).await.iter().any(|job| job.agent.is_some())
    };
    env.until("the fifth waits", waits).await;
    env.advance(Duration::from_millis(1)).await;
    let let_others_go_on = async || {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    let_others_go_on().await;
    let looks = env.world.calls.answered("store.claim");
    let_others_go_on().await;
    assert_eq!(env.world.calls.answered("store.claim"), looks);
    env.stop(StopMode::LeaveAgents).await;
}

/// A pipeline that a call met damage in, and that no look confirms, is tried again with the next look around.
#[tokio::test]
async fn what_no_look_finds_damaged_is_not_left_alone_for_good() {
    let mut env = with_wall_time().await;
    let id = followed(&mut env, Script::waits().say("tool bash")).await;
    let damaged = || StoreError::Inconsistent {
        table: "timers",
        id: "one of them".to_owned(),
        what: "it could not be read, this once".to_owned(),
    };
    env.world.watched_store.refuse(Some("store.find_timer"), 1, damaged);
    env.advance(WALL_TIME).await;
    assert_eq!(env.world.watched_store.refusals_left(), 0);
    env.advance(Duration::from_secs(1)).await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Running, "it is left alone");
    env.advance(LIVENESS_CHECK).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Blocked);
    env.world.check(id).await;
}
