//! Breakers: written once, and what a claim makes of them.

use std::collections::BTreeMap;

use domain::{
    breaker::{Breaker, BreakerState, Probe},
    failure::{Failure, FailureClass},
    id::JobId,
    job::{Job, JobInput, JobState},
};
use jiff::Timestamp;
use ports::{Applied, Claim, Held, Step, Store};

use super::fixtures::{
    agent, agent_job, at, breaker_key, claim, claimed, completed, done, gate_job, guards, ids,
    job_ids, load_job, open, pipeline, queue, run, set_breaker, step, token, update,
};

fn guarded(now: Timestamp) -> Claim {
    Claim { breakers: guards(), ..claim(now) }
}

async fn state(store: &dyn Store, key: &str) -> BreakerState {
    store.load_breaker(&breaker_key(key)).await.unwrap().state
}

async fn next_job(store: &dyn Store) -> Option<Timestamp> {
    store.next_due(&guards()).await.unwrap().job
}

pub async fn a_breaker_is_remembered_and_never_overwritten_unseen(store: &dyn Store) {
    let fresh = store.load_breaker(&breaker_key("claude@a")).await.unwrap();
    assert_eq!(fresh, Breaker::new(breaker_key("claude@a")));
    assert_eq!(store.list_breakers().await.unwrap(), []);
    let first = fresh.next(open(Some(60)));
    assert!(store.save_breaker(&first).await.unwrap());
    assert!(!store.save_breaker(&first).await.unwrap(), "somebody was faster");
    assert!(!store.save_breaker(&first.next(open(None)).next(open(None))).await.unwrap());
    assert_eq!(store.list_breakers().await.unwrap(), std::slice::from_ref(&first));
    let second = first.next(BreakerState::Closed { failures: 1 });
    assert!(store.save_breaker(&second).await.unwrap());
    assert_eq!(store.load_breaker(&first.key).await.unwrap(), second);
}

/// Two engines that hear of the same failure at once must not both count it as the first.
pub async fn a_step_with_a_stale_breaker_writes_nothing(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let breaker = set_breaker(store, "claude@a", BreakerState::Closed { failures: 1 }).await;
    let stale = Breaker { version: breaker.version, ..breaker.next(open(Some(60))) };
    let step_with = |breaker| Step { breaker: Some(breaker), ..step(&made) };
    assert_eq!(store.apply(&step_with(stale)).await.unwrap(), Applied::Stale);
    assert_eq!(store.find_pipeline(made.id).await.unwrap().unwrap().version, made.version);
    done(store, step_with(breaker.next(open(Some(60))))).await;
    assert_eq!(state(store, "claude@a").await, open(Some(60)));
}

pub async fn jobs_behind_an_open_breaker_stay_and_others_go_on(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let jobs = ["claude", "opus", "codex"];
    let mut jobs: Vec<Job> = (1..).zip(jobs).map(|(id, name)| agent_job(&made, id, name)).collect();
    jobs.push(gate_job(&made, 4));
    queue(store, &made, jobs).await;
    set_breaker(store, "claude@a", open(Some(60))).await;
    assert_eq!(ids(&claimed(store, &guarded(at(59))).await), job_ids(&[3, 4]));
    assert_eq!(next_job(store).await, Some(at(60)));
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[1, 2]), "unguarded");
}

/// However many agents and jobs stand behind it, and however many ask.
pub async fn a_breaker_that_is_due_lets_exactly_one_job_try(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let jobs = vec![
        agent_job(&made, 1, "claude"),
        agent_job(&made, 2, "claude"),
        agent_job(&made, 3, "opus"),
    ];
    queue(store, &made, jobs).await;
    set_breaker(store, "claude@a", open(Some(60))).await;
    let probe = claimed(store, &guarded(at(60))).await;
    assert_eq!(ids(&probe), job_ids(&[1]));
    let BreakerState::HalfOpen { probe: remembered, .. } = state(store, "claude@a").await else {
        panic!("a job tries");
    };
    assert_eq!(remembered, Probe { job: probe[0].id, token: token(&probe[0]) });
    let other = Claim { owner: "other".to_owned(), ..guarded(at(61)) };
    assert_eq!(claimed(store, &other).await, []);
    assert_eq!(next_job(store).await, Some(at(0)), "who waits for it does not go home");
    set_breaker(store, "claude@a", BreakerState::Closed { failures: 0 }).await;
    assert_eq!(ids(&claimed(store, &other).await), job_ids(&[2, 3]));
}

/// A probe that was lost, cancelled or given back tells nothing; the next job tries in its place.
pub async fn a_probe_that_is_gone_is_replaced(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![agent_job(&made, 1, "claude"), agent_job(&made, 2, "claude")]).await;
    set_breaker(store, "claude@a", open(Some(60))).await;
    let mut probe = claimed(store, &guarded(at(60))).await.remove(0);
    for second in 61..64 {
        let gone = if second == 63 {
            completed(&probe)
        } else {
            update(&probe, &JobInput::Expire, at(second))
        };
        assert!(store.settle_job(&gone).await.unwrap());
        let next = claimed(store, &guarded(at(second))).await;
        assert_eq!(next.len(), 1, "one at a time");
        assert_ne!((next[0].id, token(&next[0])), (probe.id, token(&probe)));
        probe = next.into_iter().next().unwrap();
    }
}

/// An agent that outlived its orchestrator is taken up whatever its provider is like by now: that starts nothing. Where
/// it was the probe, it stays the one.
pub async fn a_job_whose_agent_is_at_work_is_taken_up_through_an_open_breaker(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![agent_job(&made, 1, "claude"), agent_job(&made, 2, "claude")]).await;
    let give_back = async |job: &Job| {
        let released = update(job, &JobInput::Release { token: token(job) }, at(0));
        assert!(store.settle_job(&released).await.unwrap());
    };
    for until in [None, Some(60)] {
        let first = claimed(store, &claim(at(0))).await;
        assert!(store.save_run(&run(&first[1], 1), first[1].claims).await.unwrap());
        set_breaker(store, "claude@a", open(until)).await;
        for job in &first {
            give_back(job).await;
        }
        assert_eq!(next_job(store).await, Some(at(0)));
        let taken_up = claimed(store, &guarded(at(1))).await;
        assert_eq!(ids(&taken_up), job_ids(&[2]));
        give_back(&taken_up[0]).await;
        let everything = Held { agents: [agent("claude")].into(), processes: true };
        let taken_up = claimed(store, &Claim { held: everything, ..guarded(at(2)) }).await;
        assert_eq!(ids(&taken_up), job_ids(&[2]));
        give_back(&taken_up[0]).await;
    }
    let hold = open(Some(60)).hold().unwrap().clone();
    let probe = Probe { job: JobId::from_u128(2), token: 1 };
    set_breaker(store, "claude@a", BreakerState::HalfOpen { hold, probe }).await;
    let taken_up = claimed(store, &guarded(at(60))).await;
    assert_eq!(ids(&taken_up), job_ids(&[2]), "nobody tries beside it");
    let BreakerState::HalfOpen { probe, .. } = state(store, "claude@a").await else {
        panic!("it is still the probe");
    };
    assert_eq!(probe.token, token(&taken_up[0]));
}

pub async fn jobs_that_only_a_person_can_free_are_not_due(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let made = queue(store, &made, vec![agent_job(&made, 1, "claude")]).await;
    set_breaker(store, "claude@a", open(None)).await;
    assert_eq!(claimed(store, &guarded(at(1_000_000))).await, []);
    assert_eq!(next_job(store).await, None);
    assert_eq!(store.next_due(&BTreeMap::new()).await.unwrap().job, Some(at(0)), "unguarded");
    queue(store, &made, vec![agent_job(&made, 2, "codex")]).await;
    assert_eq!(next_job(store).await, Some(at(0)));
}

pub async fn what_was_found_unable_to_work_stays(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let jobs = vec![
        agent_job(&made, 1, "claude"),
        agent_job(&made, 2, "codex"),
        gate_job(&made, 3),
        super::fixtures::job(&made, 4, domain::job::Work::Open),
    ];
    queue(store, &made, jobs).await;
    let with = |held| Claim { held, ..claim(at(0)) };
    let processes = Held { processes: true, ..Held::default() };
    assert_eq!(ids(&claimed(store, &with(processes)).await), job_ids(&[4]));
    let claude = Held { agents: [agent("claude")].into(), processes: false };
    assert_eq!(ids(&claimed(store, &with(claude)).await), job_ids(&[2, 3]));
    assert_eq!(ids(&claimed(store, &with(Held::default())).await), job_ids(&[1]));
}

pub async fn how_often_a_job_was_held_is_remembered(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![agent_job(&made, 1, "claude")]).await;
    let job = claimed(store, &claim(at(0))).await.remove(0);
    let failure = Failure::new(FailureClass::Quota, "spent");
    let fail = JobInput::Fail { token: token(&job), failure, jitter: 0.5 };
    assert!(store.settle_job(&update(&job, &fail, at(1))).await.unwrap());
    let waiting = load_job(store, job.id).await;
    assert_eq!((waiting.budget.holds, waiting.budget.attempts), (1, 0));
    assert_eq!(waiting.state, JobState::Queued { available_at: at(1) });
}
