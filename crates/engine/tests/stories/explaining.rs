//! Why a pipeline is where it is, and that something will always move it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    breaker::{BreakerKey, BreakerStateTag},
    explain::{Cap, Depth, Explanation, Mover, Situation, Slots, explain},
    failure::FailureClass,
    id::PipelineId,
    job::JobStateTag,
    limits::{BREAKER_FAILURES_MAX, BREAKER_OPEN},
    name::AgentName,
    pipeline::{EventKind, EventKindTag, Input},
};
use engine::StopMode;
use ports::{Clock as _, JobFilter};
use testkit::world::{Answer, PERSON, Script, TestEnv, World, definitions};

const HOLDER: &str = "pid 7, `gatewright run`";

async fn explained(
    world: &World,
    id: PipelineId,
    holder: Option<&str>,
    depth: Depth,
) -> Explanation {
    explained_without(world, id, holder, depth, &BTreeSet::new()).await
}

/// The same, where these workers are known to be gone.
async fn explained_without(
    world: &World,
    id: PipelineId,
    holder: Option<&str>,
    depth: Depth,
    gone: &BTreeSet<String>,
) -> Explanation {
    let pipeline = world.pipeline(id).await;
    let states = vec![JobStateTag::Queued, JobStateTag::Running];
    let jobs = world
        .store
        .list_jobs(&JobFilter { pipeline: None, states })
        .await
        .expect("the store is well");
    let merging = world.store.find_merging(&pipeline.project, world.clock.now());
    let merging = merging.await.expect("the store is well");
    let (events, runs) = (world.events(id).await, world.runs(id).await);
    let question = world.question(id).await;
    let breakers = world.store.list_breakers().await.expect("the store is well");
    // There is one agent.
    let fake = AgentName::new("fake").expect("a name");
    let held = breakers.into_iter().filter(|it| it.state.hold().is_some());
    let held = held.map(|it| (fake.clone(), it)).collect();
    let situation = Situation {
        pipeline: &pipeline,
        events: &events,
        decision: question.as_ref(),
        runs: &runs,
        jobs: &jobs,
        merging,
        holder,
        gone,
        agents: &BTreeMap::new(),
        slots: Slots { total: 4, per_project: None, per_agent: None },
        held: &held,
        last_heard: None,
        now: world.clock.now(),
    };
    explain(&situation, depth)
}

async fn why(world: &World, id: PipelineId) -> Explanation {
    explained(world, id, Some(HOLDER), Depth::Recent).await
}

fn kinds(explanation: &Explanation) -> Vec<EventKindTag> {
    explanation.because.iter().map(|event| EventKindTag::from(&event.kind)).collect()
}

async fn followed(env: &mut TestEnv, agents: usize) {
    env.work();
    env.until("they are followed", async |world| world.sandbox.followers() == agents).await;
}

#[tokio::test]
async fn an_agent_at_work_is_what_moves_it() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    followed(&mut env, 1).await;
    let explanation = why(&env.world, id).await;
    let run = env.world.runs(id).await[0].id;
    let [Mover::Worker { owner, run: Some(told), until, .. }] = explanation.movers.as_slice()
    else {
        panic!("{explanation:?}")
    };
    assert_eq!((owner.as_str(), *told), ("engine-1", run));
    assert!(*until > env.world.clock.now());
    assert_eq!(explanation.at_work, Some(true));
}

/// A killed process leaves rows that say `running`. What the screen says is what is true.
#[tokio::test]
async fn nobody_is_at_work_where_the_process_is_gone_or_stands_still() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    followed(&mut env, 1).await;
    env.crash().await;
    let gone = explained(&env.world, id, None, Depth::Recent).await;
    assert_eq!(gone.at_work, Some(false), "its lease has not even run out");
    let engines = BTreeSet::from(["engine-1".to_owned()]);
    let other = explained_without(&env.world, id, Some(HOLDER), Depth::Recent, &engines).await;
    assert_eq!(other.at_work, Some(false), "somebody holds the directory, and has not this job");
    assert!(matches!(&other.movers[..], [Mover::Worker { is_gone: true, .. }]), "{other:?}");
    env.world.clock.advance(Duration::from_mins(1));
    let stands_still = why(&env.world, id).await;
    assert_eq!(stands_still.at_work, Some(false), "the lock is held, the lease has run out");
    assert!(matches!(stands_still.movers.as_slice(), [Mover::Recovery { .. }]), "{stands_still:?}");
}

/// A pipeline whose first try has failed, and that waits for the next one.
async fn failed_once() -> (TestEnv, PipelineId) {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
    let id = env.start("Add a flag").await;
    env.work();
    let waits = async |world: &World| {
        matches!(why(world, id).await.movers.as_slice(), [Mover::Backoff { .. }])
    };
    env.until("it waits for its next try", waits).await;
    (env, id)
}

#[tokio::test]
async fn a_failed_try_says_when_the_next_one_comes_and_why() {
    let (env, id) = failed_once().await;
    let explanation = why(&env.world, id).await;
    let [Mover::Backoff { next_try: 2, tries_max: 5, why: Some(why), .. }] =
        explanation.movers.as_slice()
    else {
        panic!("{explanation:?}")
    };
    assert_eq!(why, "it was told to");
    assert_eq!(kinds(&explanation)[0], EventKindTag::JobRetried);
}

#[tokio::test]
async fn who_waits_for_a_slot_is_told_who_has_it() {
    let mut env = TestEnv::new().await;
    let mut others = Vec::new();
    for title in ["One", "Two", "Three", "Four"] {
        env.world.sandbox.next_plays(Script::waits());
        others.push(env.start(title).await);
    }
    followed(&mut env, 4).await;
    let fifth = env.start("Five").await;
    let waits = async |world: &World| {
        matches!(why(world, fifth).await.movers.as_slice(), [Mover::Slot { .. }])
    };
    env.until("it waits for a slot", waits).await;
    let explanation = why(&env.world, fifth).await;
    let [Mover::Slot { cap: Cap::Total(4), occupants, .. }] = explanation.movers.as_slice() else {
        panic!("{explanation:?}")
    };
    let mut occupants: Vec<PipelineId> = occupants.iter().map(|it| it.pipeline).collect();
    occupants.sort();
    others.sort();
    assert_eq!(occupants, others);
}

#[tokio::test]
async fn who_waits_behind_a_breaker_is_told_when_one_may_try_and_that_one_does() {
    let mut env = TestEnv::new().await;
    let mut ids = Vec::new();
    for number in 0..BREAKER_FAILURES_MAX {
        env.world.sandbox.next_plays(Script::fails(FailureClass::Transient));
        ids.push(env.start(&format!("Add flag {number}")).await);
    }
    env.work();
    let is_open = async |world: &World| world.breaker("fake").await.hold().is_some();
    env.until("its breaker opens", is_open).await;
    ids.push(env.start("Add a switch").await);
    let behind = async |world: &World, id| match why(world, id).await.movers.as_slice() {
        [Mover::Breaker { state, until, .. }] => Some((*state, until.is_some())),
        _ => None,
    };
    let waits =
        async |world: &World| behind(world, ids[3]).await == Some((BreakerStateTag::Open, true));
    env.until("it waits for its time", waits).await;
    env.world.sandbox.next_plays(Script::waits());
    env.advance(BREAKER_OPEN).await;
    env.until("one tries", async |world| world.sandbox.followers() == 1).await;
    let mut told = Vec::new();
    for id in &ids {
        told.extend(behind(&env.world, *id).await);
    }
    assert_eq!(told, [(BreakerStateTag::HalfOpen, false); 3], "its time has come: one tries");
}

/// Of the time of its next try and that of its breaker, the later one moves it, as every list says.
#[tokio::test]
async fn a_failed_try_that_may_begin_before_its_breaker_opens_waits_for_the_breaker() {
    let (mut env, id) = failed_once().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Credentials));
    let _other = env.start("Add a switch").await;
    let is_open = async |world: &World| world.breaker("fake").await.hold().is_some();
    env.until("its breaker opens", is_open).await;
    let explanation = why(&env.world, id).await;
    assert!(matches!(&explanation.movers[..], [Mover::Breaker { .. }]), "{explanation:?}");

    let key = BreakerKey::new("fake@fake.test").expect("a key");
    assert_eq!(env.engine().list_parked().await.unwrap().len(), 1);
    env.stop(StopMode::LeaveAgents).await;
    assert!(env.engine().resume_breaker(&key).await.unwrap());
    assert_eq!(env.engine().list_parked().await.unwrap(), [], "its time is over: it keeps nobody");
    let explanation = why(&env.world, id).await;
    assert!(matches!(&explanation.movers[..], [Mover::Backoff { .. }]), "{explanation:?}");
}

#[tokio::test]
async fn who_waits_for_a_merge_is_told_who_holds_the_lease() {
    let mut env = TestEnv::new().await;
    let ids = [env.start("Add a flag").await, env.start("Add a switch").await];
    env.world.gates.hold("mergeable");
    env.work();
    let waits = async |world: &World| {
        let [one, other] = ids;
        let held = [why(world, one).await.movers, why(world, other).await.movers];
        match [held[0].as_slice(), held[1].as_slice()] {
            [[Mover::Merge { merging, .. }], _] => *merging == other,
            [_, [Mover::Merge { merging, .. }]] => *merging == one,
            _ => false,
        }
    };
    env.until("one waits for the other", waits).await;
    env.world.gates.release("mergeable");
    env.work_to_rest().await;
    assert_eq!(env.world.git.landings(&env.project), 2);
}

#[tokio::test]
async fn the_chain_goes_back_over_what_sent_the_work_back() {
    let mut env = TestEnv::new().await;
    for _ in 0..2 {
        env.world.gates.next_answer("tests", Answer::Fails("2 tests failed".to_owned()));
    }
    env.world.sandbox.next_plays(Script::writes("flag.rs", "one"));
    env.world.sandbox.next_plays(Script::writes("flag.rs", "two"));
    env.world.sandbox.next_plays(Script::waits());
    let id = env.start("Add a flag").await;
    followed(&mut env, 1).await;
    let third = async |world: &World| world.sandbox.launches() == 3;
    env.until("it works for the third time", third).await;
    let explanation = why(&env.world, id).await;
    assert_eq!(
        kinds(&explanation),
        [
            EventKindTag::StageEntered,
            EventKindTag::SentBack,
            EventKindTag::GateJudged,
            EventKindTag::StageEntered,
            EventKindTag::SentBack,
            EventKindTag::GateJudged,
            EventKindTag::StageEntered,
            EventKindTag::Started,
        ]
    );
    let first =
        explanation.because.iter().rfind(|it| matches!(it.kind, EventKind::SentBack { .. }));
    let Some(EventKind::SentBack { count: 1, findings, .. }) = first.map(|it| &it.kind) else {
        panic!("{explanation:?}")
    };
    assert_eq!(findings[0].message, "2 tests failed");
}

#[tokio::test]
async fn people_move_what_waits_for_them() {
    let mut env = TestEnv::new().await.with_definition(definitions::build_and_ask());
    let id = env.create("Add a flag").await;
    assert_eq!(why(&env.world, id).await.movers, [Mover::Start]);
    let _moved = env.engine().ask(id, &Input::Start, PERSON).await.unwrap();
    env.work_to_rest().await;
    let asked = why(&env.world, id).await;
    let question = env.world.question(id).await.unwrap();
    assert!(
        matches!(&asked.movers[..], [Mover::Answer { decision, .. }] if *decision == question.id)
    );
    assert_eq!(asked.at_work, None, "no process has to be there for it");
    let _moved = env.engine().ask(id, &Input::Pause, PERSON).await.unwrap();
    let paused = why(&env.world, id).await;
    assert!(
        matches!(&paused.movers[..], [Mover::Resume { by: Some(by), .. }] if by.to_string() == PERSON)
    );
    let cancel = Input::Cancel { reason: "not needed".to_owned() };
    let _moved = env.engine().ask(id, &cancel, PERSON).await.unwrap();
    assert_eq!(why(&env.world, id).await.movers, [Mover::Ended]);
}

/// F10: something suspended waits for what only it can produce. Whenever anything at all has happened, each pipeline
/// that has not ended has somebody or something that will move it.
#[tokio::test]
async fn f10_every_waiting_pipeline_has_a_mover() {
    let mut env = TestEnv::new().await;
    env.world.sandbox.next_plays(Script::fails(FailureClass::Permanent));
    env.world.gates.next_answer("tests", Answer::Fails("red".to_owned()));
    let ids = [env.start("Add a flag").await, env.start("Add a switch").await];
    env.work();
    let at_rest = async |world: &World| {
        let mut ended = 0;
        for id in ids {
            let explanation = why(world, id).await;
            assert!(!explanation.movers.is_empty(), "nothing moves {id}: {explanation:?}");
            ended += usize::from(explanation.movers == [Mover::Ended]);
        }
        ended == ids.len()
    };
    env.until("all have ended", at_rest).await;
    env.stop(StopMode::LeaveAgents).await;
}
