//! Timers, and when something is due next.

use std::collections::BTreeMap;

use domain::{
    job::{Job, JobState},
    pipeline::{Pipeline, TimerKey},
};
use jiff::Timestamp;
use ports::{DueTimer, Step, Store, TimerChange};

use super::fixtures::{
    at, claim, claimed, done, gate_job, paused, pipeline, queue, running, step, step_to,
};

const TIMER: TimerKey = TimerKey::WallTime;

async fn change(store: &dyn Store, pipeline: &Pipeline, timers: Vec<TimerChange>) -> Pipeline {
    done(store, Step { timers, ..step(pipeline) }).await
}

async fn due(store: &dyn Store, now: Timestamp) -> Vec<DueTimer> {
    store.list_due_timers(now).await.unwrap()
}

pub async fn timers_fire_once(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = change(store, &one, vec![TimerChange::Arm { timer: TIMER, at: at(20) }]).await;
    change(store, &two, vec![TimerChange::Arm { timer: TIMER, at: at(10) }]).await;
    let first = DueTimer { pipeline: two.id, timer: TIMER, at: at(10) };
    let second = DueTimer { pipeline: one.id, timer: TIMER, at: at(20) };
    assert_eq!(due(store, at(9)).await, []);
    assert_eq!(due(store, at(10)).await, [first]);
    assert_eq!(
        due(store, at(99)).await,
        [first, second],
        "one that nobody consumed is due until somebody does"
    );
    change(store, &one, vec![TimerChange::Fired { timer: TIMER }]).await;
    assert_eq!(due(store, at(99)).await, [first]);
}

pub async fn a_timer_set_anew_replaces_the_earlier_one(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let made = change(store, &made, vec![TimerChange::Arm { timer: TIMER, at: at(10) }]).await;
    let old = due(store, at(10)).await.remove(0);
    change(store, &made, vec![TimerChange::Arm { timer: TIMER, at: at(20) }]).await;
    assert_eq!(due(store, at(10)).await, []);
    assert_eq!(store.find_timer(made.id, TIMER).await.unwrap(), Some(at(20)));
    store.drop_timer(&old).await.unwrap();
    let new = DueTimer { at: at(20), ..old };
    assert_eq!(due(store, at(20)).await, [new], "dropping the old one leaves the new one");
    store.drop_timer(&new).await.unwrap();
    assert_eq!(due(store, at(99)).await, []);
    assert_eq!(store.find_timer(made.id, TIMER).await.unwrap(), None);
}

pub async fn changes_to_timers_are_made_in_order(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    change(store, &two, vec![TimerChange::Arm { timer: TIMER, at: at(5) }]).await;
    let one = change(
        store,
        &one,
        vec![TimerChange::Arm { timer: TIMER, at: at(5) }, TimerChange::DisarmAll],
    )
    .await;
    assert_eq!(
        due(store, at(9)).await.iter().map(|timer| timer.pipeline).collect::<Vec<_>>(),
        [two.id]
    );
    change(store, &one, vec![TimerChange::DisarmAll, TimerChange::Arm { timer: TIMER, at: at(6) }])
        .await;
    assert_eq!(due(store, at(9)).await.len(), 2);
}

pub async fn what_is_due_next_is_told_apart_by_jobs_and_timers(store: &dyn Store) {
    let next = async |job: Option<i64>, timer: Option<i64>, why: &str| {
        let due = store.next_due(&BTreeMap::new()).await.unwrap();
        assert_eq!((due.job, due.timer), (job.map(at), timer.map(at)), "{why}");
    };
    next(None, None, "nothing is").await;
    let made = pipeline(store, 1, "ET").await;
    let waiting = Job { state: JobState::Queued { available_at: at(10) }, ..gate_job(&made, 1) };
    let made = queue(store, &made, vec![waiting]).await;
    next(Some(10), None, "a job is").await;
    let made = change(store, &made, vec![TimerChange::Arm { timer: TIMER, at: at(20) }]).await;
    next(Some(10), Some(20), "both are").await;
    let made = done(store, step_to(&made, paused())).await;
    next(None, Some(20), "the job of a paused pipeline is not due").await;
    done(store, step_to(&made, running())).await;
    assert_eq!(claimed(store, &claim(at(50))).await.len(), 1);
    next(None, Some(20), "what runs is not due").await;
}
