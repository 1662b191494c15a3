//! A provider that is unwell, spent or does not know us: who waits, for how long, and what it costs.

use std::time::Duration;

use domain::{
    breaker::{BreakerKey, BreakerState, HoldReason},
    failure::FailureClass,
    id::PipelineId,
    job::{Budget, JobStateTag},
    limits::{BREAKER_FAILURES_MAX, BREAKER_OPEN},
    pipeline::{EventKind, PipelineStateTag},
};
use jiff::Timestamp;
use ports::Clock as _;
use testkit::world::{Script, TestEnv, World};

async fn reason(world: &World, agent: &str) -> Option<HoldReason> {
    world.breaker(agent).await.hold().map(|hold| hold.reason)
}

async fn until(world: &World, agent: &str) -> Option<Timestamp> {
    world.breaker(agent).await.hold().and_then(|hold| hold.until)
}

async fn is_open(world: &World, agent: &str) -> bool {
    matches!(world.breaker(agent).await, BreakerState::Open { .. })
}

/// The budget of its job that waits.
async fn budget(world: &World, id: PipelineId) -> Budget {
    world.jobs(id, JobStateTag::Queued).await[0].budget
}

async fn openings(world: &World, ids: &[PipelineId]) -> usize {
    let mut count = 0;
    for id in ids {
        count += world.count(*id, |it| matches!(it, EventKind::BreakerOpened { .. })).await;
    }
    count
}

/// So many pipelines whose agents all fail in that way, at work until their breaker is open.
async fn unwell(count: u32, class: FailureClass) -> (TestEnv, Vec<PipelineId>) {
    let mut env = TestEnv::new().await;
    let mut ids = Vec::new();
    for number in 0..count {
        env.world.sandbox.next_plays(Script::fails(class));
        ids.push(env.start(&format!("Add flag {number}")).await);
    }
    env.work();
    env.until("its breaker opens", async |world| is_open(world, "fake").await).await;
    (env, ids)
}

#[tokio::test]
async fn three_transient_failures_in_a_row_open_the_breaker_and_it_is_told_once() {
    let (env, ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    let opened_until = env.world.clock.now() + BREAKER_OPEN;
    assert_eq!(until(&env.world, "fake").await, Some(opened_until));
    assert_eq!(openings(&env.world, &ids).await, 1);
}

#[tokio::test]
async fn nothing_is_asked_of_a_provider_behind_an_open_breaker_and_then_once() {
    const MOMENT: Duration = Duration::from_millis(1);
    let (mut env, mut ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    ids.push(env.start("Add a switch").await);
    let launches = env.world.sandbox.launches();
    env.advance(BREAKER_OPEN.saturating_sub(MOMENT)).await;
    assert_eq!(env.world.sandbox.launches(), launches);
    env.world.sandbox.next_plays(Script::waits());
    env.advance(MOMENT).await;
    env.until("one tries", async |world| world.sandbox.followers() == 1).await;
    env.advance(Duration::from_mins(1)).await;
    assert_eq!(env.world.sandbox.launches(), launches + 1, "the others wait for it");
    env.world.sandbox.play(launches, Script::writes("flag.rs", "a flag"));
    env.work_to_rest().await;
    for id in ids {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
        env.world.check(id).await;
    }
    assert_eq!(env.world.breaker("fake").await, BreakerState::Closed { failures: 0 });
}

/// Two processes on one store: one of them believed the other dead.
#[tokio::test]
async fn two_engines_let_one_job_try_between_them() {
    let (mut env, _ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    let launches = env.world.sandbox.launches();
    env.take_for_dead();
    env.world.sandbox.next_plays(Script::waits());
    env.advance(BREAKER_OPEN).await;
    env.until("one tries", async |world| world.sandbox.followers() == 1).await;
    env.advance(Duration::from_secs(5)).await;
    assert_eq!(env.world.sandbox.launches(), launches + 1);
}

#[tokio::test]
async fn a_probe_that_fails_opens_the_breaker_again_and_is_not_told_again() {
    let (env, ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
    env.advance(BREAKER_OPEN).await;
    let again = env.world.clock.now() + BREAKER_OPEN;
    let reopened = async |world: &World| until(world, "fake").await == Some(again);
    env.until("it opens again", reopened).await;
    assert_eq!(openings(&env.world, &ids).await, 1);
}

#[tokio::test]
async fn a_permanent_failure_breaks_the_streak() {
    let mut env = TestEnv::new().await;
    for class in [
        FailureClass::Transient,
        FailureClass::Transient,
        FailureClass::Permanent,
        FailureClass::Transient,
        FailureClass::Transient,
    ] {
        env.world.sandbox.next_plays(Script::fails(class));
    }
    let id = env.start("Add a flag").await;
    env.work();
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(openings(&env.world, &[id]).await, 0);
}

/// A restart changes nothing about a breaker: neither what was counted nor until when it is open.
#[tokio::test]
async fn a_breaker_survives_a_restart() {
    let (mut env, _ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    let before = env.world.breaker("fake").await;
    let launches = env.world.sandbox.launches();
    env.crash_and_restart().await;
    env.advance(Duration::from_mins(1)).await;
    assert_eq!(env.world.breaker("fake").await, before);
    assert_eq!(env.world.sandbox.launches(), launches);
}

/// A rate limit is neither completion nor failure: the job is parked, and goes on in the same conversation when the
/// window opens, hours later and after a restart (lessons E27, E29).
#[tokio::test]
async fn a_spent_window_parks_the_job_and_the_same_conversation_goes_on_when_it_opens() {
    let mut env = TestEnv::new().await;
    let opens = Timestamp::from_second(env.world.clock.now().as_second() + 5 * 3_600).unwrap();
    env.world.sandbox.next_plays(Script::meets_a_spent_window("talk-1", opens));
    let id = env.start("Add a flag").await;
    env.work();
    env.until("its breaker opens", async |world| is_open(world, "fake").await).await;
    assert_eq!(reason(&env.world, "fake").await, Some(HoldReason::Quota));
    assert_eq!(until(&env.world, "fake").await, Some(opens));
    assert_eq!(budget(&env.world, id).await, Budget { holds: 1, ..Budget::default() });
    env.crash_and_restart().await;
    env.advance(Duration::from_hours(4)).await;
    assert_eq!(env.world.sandbox.launches(), 1);
    env.advance(Duration::from_hours(1)).await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.sandbox.spec(1).argv, ["fake-agent", "--resume", "talk-1"]);
    env.world.check(id).await;
}

/// However often: what waits for a window is bounded by a limit of its own, and spends nothing else.
#[tokio::test]
async fn windows_spend_no_retry() {
    const WINDOWS: u32 = 7;
    let mut env = TestEnv::new().await;
    for _ in 0..WINDOWS {
        env.world.sandbox.next_plays(Script::fails(FailureClass::Quota));
    }
    let id = env.start("Add a flag").await;
    env.work();
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    assert_eq!(env.world.sandbox.launches(), WINDOWS as usize + 1);
}

/// One key that is refused pauses all agents of its kind: one question to the provider, one line in one log, no retry
/// burnt, and other kinds go on.
#[tokio::test]
async fn credentials_pause_a_kind_and_others_go_on() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Credentials));
    let one = env.start("Add a flag").await;
    env.work_to_rest().await;
    assert_eq!(until(&env.world, "fake").await, None);
    let two = env.start("Add a switch").await;
    let three = env.start_with("Add a lever", "other").await;
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), 2);
    assert_eq!(env.world.state(three).await, PipelineStateTag::Succeeded);
    for id in [one, two] {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Running, "no question each");
        assert_eq!(env.world.question(id).await, None);
        assert_eq!(budget(&env.world, id).await.attempts, 0);
        env.world.check(id).await;
    }
    assert_eq!(openings(&env.world, &[one, two, three]).await, 1);
}

/// Nothing waits for a person in silence: the engine is at rest, and a person who is there lets one job try.
#[tokio::test]
async fn a_person_lets_one_job_try_and_the_rest_follows() {
    let (mut env, ids) = unwell(1, FailureClass::Credentials).await;
    let two = env.start("Add a switch").await;
    env.work_to_rest().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Credentials));
    let key = BreakerKey::new("fake@fake.test").unwrap();
    let resumed = env.engine().resume_what_waits_for_a_person().await.unwrap();
    assert_eq!(resumed, std::slice::from_ref(&key));
    env.work_to_rest().await;
    assert_eq!(env.world.sandbox.launches(), 2, "one, and it is refused again");
    assert_eq!(openings(&env.world, &[ids[0], two]).await, 1);
    assert!(env.engine().resume_breaker(&key).await.unwrap());
    env.work_to_rest().await;
    for id in [ids[0], two] {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    }
    assert!(!env.engine().resume_breaker(&key).await.unwrap(), "it is closed");
}

/// A probe whose job is cancelled leaves its place to the next.
#[tokio::test]
async fn a_probe_that_is_cancelled_holds_nobody() {
    let (mut env, ids) = unwell(BREAKER_FAILURES_MAX, FailureClass::Transient).await;
    env.world.sandbox.next_plays(Script::waits());
    env.advance(BREAKER_OPEN).await;
    env.until("one tries", async |world| world.sandbox.followers() == 1).await;
    let mut probing = None;
    for id in &ids {
        if !env.world.jobs(*id, JobStateTag::Running).await.is_empty() {
            probing = Some(*id);
        }
    }
    let cancel = domain::pipeline::Input::Cancel { reason: String::new() };
    let _moved = env.engine().ask(probing.unwrap(), &cancel, testkit::world::PERSON).await.unwrap();
    env.rest_as_time_passes(Duration::from_secs(1)).await.unwrap();
    for id in ids.into_iter().filter(|id| Some(*id) != probing) {
        assert_eq!(env.world.state(id).await, PipelineStateTag::Succeeded);
    }
}
