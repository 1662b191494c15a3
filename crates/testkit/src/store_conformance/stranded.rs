//! Pipelines that nothing will move: found, and nothing else is taken for one.

use domain::{
    job::{JobInput, Work},
    pipeline::PipelineState,
};
use ports::{Step, Store, Stranded};

use super::fixtures::{
    approved, at, claim, claimed, completed, decision, done, gate_job, job, paused, pipeline,
    queue, running, step, step_to, token, update,
};

async fn stranded(store: &dyn Store) -> Vec<Stranded> {
    store.list_stranded().await.unwrap()
}

pub async fn a_pipeline_that_nothing_will_move_is_found(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let job_1 = gate_job(&made, 1);
    let made = done(store, Step { jobs: vec![job_1], ..step_to(&made, running()) }).await;
    assert_eq!(stranded(store).await, [], "a job waits");
    let held = claimed(store, &claim(at(0))).await.remove(0);
    assert_eq!(stranded(store).await, [], "a job runs");
    let again = update(&held, &JobInput::Release { token: token(&held) }, at(0));
    assert!(store.settle_job(&again).await.unwrap());
    assert_eq!(stranded(store).await, [], "it waits again");
    let held = claimed(store, &claim(at(0))).await.remove(0);
    assert!(store.settle_job(&completed(&held)).await.unwrap());
    let found = [Stranded { pipeline: made.id, version: made.version }];
    assert_eq!(stranded(store).await, found, "its job has ended without a step");
    let made = queue(store, &made, vec![job(&made, 2, Work::Cleanup)]).await;
    let found = [Stranded { pipeline: made.id, version: made.version }];
    assert_eq!(stranded(store).await, found, "a clean-up moves nothing");
    let asks = Step { opened: vec![decision(&made, 7)], ..step(&made) };
    let made = done(store, asks).await;
    assert_eq!(stranded(store).await, [], "a person will");
    let answered = vec![(decision(&made, 7).id, approved("ann"))];
    let made = done(store, Step { closed: answered, ..step(&made) }).await;
    let found = [Stranded { pipeline: made.id, version: made.version }];
    assert_eq!(stranded(store).await, found, "nobody will any more");
}

pub async fn what_waits_for_a_person_or_was_not_started_is_not_stranded(store: &dyn Store) {
    let ended = PipelineState::Cancelled { by: "ann".to_owned(), reason: "no".to_owned() };
    pipeline(store, 1, "ET").await;
    for (id, state) in [(2, paused()), (3, ended)] {
        let made = pipeline(store, id, "ET").await;
        done(store, step_to(&made, state)).await;
    }
    assert_eq!(stranded(store).await, []);
}
