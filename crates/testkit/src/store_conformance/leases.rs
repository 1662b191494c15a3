//! Leases of jobs: one worker at a time, by token.

use std::collections::BTreeMap;

use domain::{
    failure::{Failure, FailureClass},
    id::JobId,
    job::{Budget, Job, JobInput, JobState, JobStateTag, Lease},
};
use ports::{Applied, Claim, JobFilter, JobUpdate, Step, Store};

use super::fixtures::{
    TTL, at, claim, claimed, completed, gate_job, ids, job_ids, load_job, load_pipeline, pipeline,
    queue, step, token, update,
};

async fn one_job(store: &dyn Store) -> Job {
    let made = pipeline(store, 1, "ET").await;
    let job = gate_job(&made, 1);
    queue(store, &made, vec![job.clone()]).await;
    job
}

pub async fn a_job_is_leased_by_one_worker_only(store: &dyn Store) {
    let job = one_job(store).await;
    let taken = claimed(store, &claim(at(0))).await;
    let lease = Lease { owner: "worker".to_owned(), token: 1, expires_at: at(30) };
    let expected = Job { claims: 1, state: JobState::Running { lease }, ..job };
    assert_eq!(taken, std::slice::from_ref(&expected));
    assert_eq!(claimed(store, &Claim { owner: "other".to_owned(), ..claim(at(1_000)) }).await, []);
    assert_eq!(load_job(store, expected.id).await, expected);
}

pub async fn a_job_is_given_out_when_its_time_has_come_and_not_before(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let later = Job { state: JobState::Queued { available_at: at(10) }, ..gate_job(&made, 1) };
    queue(store, &made, vec![later]).await;
    assert_eq!(claimed(store, &claim(at(9))).await, []);
    assert_eq!(claimed(store, &claim(at(10))).await.len(), 1);
}

pub async fn a_claim_takes_no_more_than_it_asked_for(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, (1..=5).map(|id| gate_job(&made, id)).collect()).await;
    assert_eq!(claimed(store, &Claim { limit: 0, ..claim(at(0)) }).await, []);
    assert_eq!(ids(&claimed(store, &Claim { limit: 2, ..claim(at(0)) }).await), job_ids(&[1, 2]));
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[3, 4, 5]));
}

pub async fn every_claim_gives_out_a_new_token(store: &dyn Store) {
    one_job(store).await;
    for expected in 1..=3 {
        let job = claimed(store, &claim(at(expected))).await.remove(0);
        assert_eq!((token(&job), job.claims), (expected.unsigned_abs(), expected.unsigned_abs()));
        assert!(store.settle_job(&update(&job, &JobInput::Expire, at(expected))).await.unwrap());
    }
}

pub async fn a_failed_try_is_remembered_with_its_reason(store: &dyn Store) {
    one_job(store).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let failure = Failure::new(FailureClass::Transient, "overloaded");
    let next = update(&held, &JobInput::Fail { token: token(&held), failure, jitter: 0.5 }, at(0));
    let failed = JobUpdate { last_error: Some("overloaded".to_owned()), ..next };
    assert!(store.settle_job(&failed).await.unwrap());
    let waiting = load_job(store, held.id).await;
    assert_eq!(waiting.state, failed.next.state);
    assert_eq!(waiting.budget, Budget { transient_attempts: 1, ..Budget::default() });
    assert_eq!(waiting.last_error.as_deref(), Some("overloaded"));
    assert_eq!(claimed(store, &claim(at(0))).await, [], "it waits for its backoff");
}

pub async fn a_report_with_an_old_token_settles_nothing(store: &dyn Store) {
    one_job(store).await;
    let first = claimed(store, &claim(at(0))).await.remove(0);
    assert!(store.settle_job(&update(&first, &JobInput::Expire, at(40))).await.unwrap());
    assert!(!store.settle_job(&completed(&first)).await.unwrap(), "it is queued");
    let second = claimed(store, &claim(at(40))).await.remove(0);
    assert!(!store.settle_job(&completed(&first)).await.unwrap(), "it is somebody else's");
    assert_eq!(load_job(store, first.id).await, second);
    assert!(store.settle_job(&completed(&second)).await.unwrap());
    assert!(!store.settle_job(&completed(&second)).await.unwrap(), "it is done");
}

pub async fn a_heartbeat_extends_the_leases_that_are_held(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![gate_job(&made, 1), gate_job(&made, 2), gate_job(&made, 3)]).await;
    let held = claimed(store, &Claim { limit: 2, ..claim(at(0)) }).await;
    assert!(store.settle_job(&completed(&held[1])).await.unwrap());
    let unknown = JobId::from_u128(99);
    let leases =
        [(held[0].id, 1), (held[0].id, 2), (held[1].id, 1), (job_ids(&[3])[0], 1), (unknown, 1)];
    let lost = store.heartbeat(&leases, at(60)).await.unwrap();
    assert_eq!(
        lost,
        [held[0].id, held[1].id, job_ids(&[3])[0], unknown],
        "old token, done, queued, unknown"
    );
    let JobState::Running { lease } = load_job(store, held[0].id).await.state else {
        panic!("it runs")
    };
    assert_eq!(lease.expires_at, at(60));
}

/// A reaper that looked before the worker spoke up changes nothing: the lease itself is what counts, in the very
/// statement that takes the job back.
pub async fn a_job_is_taken_back_only_while_its_lease_is_over(store: &dyn Store) {
    let job = one_job(store).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let expire =
        |by| JobUpdate { expired_by: Some(at(by)), ..update(&held, &JobInput::Expire, at(by)) };
    assert!(!store.settle_job(&expire(29)).await.unwrap(), "it lasts until second 30");
    assert_eq!(store.heartbeat(&[(held.id, 1)], at(60)).await.unwrap(), []);
    assert!(!store.settle_job(&expire(30)).await.unwrap(), "it was renewed meanwhile");
    let made = load_pipeline(store, job.pipeline).await;
    let step = Step { job: Some(expire(59)), ..step(&made) };
    assert_eq!(store.apply(&step).await.unwrap(), Applied::Fenced);
    let step = Step { job: Some(expire(60)), ..step };
    assert!(matches!(store.apply(&step).await.unwrap(), Applied::Done { .. }));
    assert!(!store.settle_job(&expire(60)).await.unwrap(), "once is enough");
    assert_eq!(load_job(store, held.id).await.budget.lost, 1);
}

pub async fn the_first_lease_to_end_is_due(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![gate_job(&made, 1), gate_job(&made, 2)]).await;
    assert_eq!(store.next_due(&BTreeMap::new()).await.unwrap().lease, None);
    let early = claimed(store, &Claim { limit: 1, ..claim(at(0)) }).await.remove(0);
    claimed(store, &claim(at(5))).await;
    assert_eq!(store.next_due(&BTreeMap::new()).await.unwrap().lease, Some(at(30)));
    store.heartbeat(&[(early.id, 1)], at(50)).await.unwrap();
    assert_eq!(store.next_due(&BTreeMap::new()).await.unwrap().lease, Some(at(35)));
}

pub async fn jobs_are_listed_oldest_first(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    queue(store, &one, vec![Job { created_at: at(5), ..gate_job(&one, 1) }, gate_job(&one, 2)])
        .await;
    queue(store, &two, vec![gate_job(&two, 3)]).await;
    let running = claimed(store, &Claim { limit: 1, ttl: TTL, ..claim(at(0)) }).await;
    let all = JobFilter::default();
    let of_one = JobFilter { pipeline: Some(one.id), states: Vec::new() };
    let at_work =
        JobFilter { pipeline: None, states: vec![JobStateTag::Running, JobStateTag::Done] };
    let of_one_queued = JobFilter { pipeline: Some(one.id), states: vec![JobStateTag::Queued] };
    for (filter, expected) in
        [(all, vec![2, 3, 1]), (of_one, vec![2, 1]), (at_work, vec![2]), (of_one_queued, vec![1])]
    {
        assert_eq!(ids(&store.list_jobs(&filter).await.unwrap()), job_ids(&expected), "{filter:?}");
    }
    assert_eq!(ids(&running), job_ids(&[2]));
}
