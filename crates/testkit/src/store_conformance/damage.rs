//! Damage: what is whole is never taken for it. What is damaged is each store's own affair, and has tests there.

use domain::{id::PipelineId, pipeline::PipelineState};
use ports::{Claim, Step, Store};

use super::fixtures::{
    at, claim, claimed, decision, done, gate_job, ids, job_ids, paused, pipeline, queue, run, step,
    step_to, token,
};

pub async fn what_is_whole_is_no_damage_and_is_not_parked(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![gate_job(&made, 1), gate_job(&made, 2)]).await;
    let held = claimed(store, &Claim { limit: 1, ..claim(at(0)) }).await.remove(0);
    let _recorded = store.save_run(&run(&held, 1), token(&held)).await.unwrap();
    let asked = pipeline(store, 2, "ET").await;
    done(store, Step { opened: vec![decision(&asked, 7)], ..step(&asked) }).await;
    let ended = PipelineState::Cancelled { by: "ann".to_owned(), reason: "no".to_owned() };
    for (id, state) in [(3, paused()), (4, ended)] {
        let made = pipeline(store, id, "ET").await;
        done(store, step_to(&made, state)).await;
    }
    let nobody = PipelineId::from_u128(9);
    for looked_at in [None, Some(made.id), Some(asked.id), Some(nobody)] {
        assert_eq!(store.find_damage(looked_at, at(100)).await.unwrap(), [], "{looked_at:?}");
    }
    // However often somebody looks.
    for _ in 0..2 {
        assert_eq!(store.park_damaged(at(100)).await.unwrap(), []);
    }
    assert_eq!(
        ids(&claimed(store, &claim(at(0))).await),
        job_ids(&[2]),
        "its other job is given out"
    );
}
