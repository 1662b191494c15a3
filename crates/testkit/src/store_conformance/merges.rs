//! The merge lease: one pipeline of a project merges at a time.

use domain::pipeline::Pipeline;
use ports::{Claim, Step, Store};

use super::fixtures::{
    at, claim, claimed, completed, done, gate_job, ids, job_ids, merge_job, pipeline, queue, step,
    token,
};

pub async fn an_exclusive_job_waits_for_the_merge_lease_of_another_pipeline(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = queue(store, &one, vec![merge_job(&one, 1)]).await;
    queue(store, &two, vec![merge_job(&two, 2), gate_job(&two, 3)]).await;
    let first = claimed(store, &claim(at(0))).await;
    assert_eq!(ids(&first), job_ids(&[1, 3]), "what is not exclusive waits for nobody");
    // The lease outlives the job: the gates of the merge come in between.
    assert!(store.settle_job(&completed(&first[0])).await.unwrap());
    queue(store, &one, vec![merge_job(&one, 4)]).await;
    assert_eq!(
        ids(&claimed(store, &claim(at(1))).await),
        job_ids(&[4]),
        "its own lease is no obstacle"
    );
    assert_eq!(claimed(store, &claim(at(2))).await, []);
}

pub async fn a_merge_lease_that_was_given_back_can_be_taken(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = queue(store, &one, vec![merge_job(&one, 1)]).await;
    let two = queue(store, &two, vec![merge_job(&two, 2)]).await;
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[1]));
    done(store, Step { release_merge_lease: true, ..step(&two) }).await;
    assert_eq!(claimed(store, &claim(at(1))).await, [], "only its holder gives it back");
    done(store, Step { release_merge_lease: true, ..step(&one) }).await;
    assert_eq!(ids(&claimed(store, &claim(at(1))).await), job_ids(&[2]));
}

pub async fn a_merge_lease_that_ran_out_can_be_taken(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    queue(store, &one, vec![merge_job(&one, 1)]).await;
    queue(store, &two, vec![merge_job(&two, 2)]).await;
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[1]));
    assert_eq!(claimed(store, &claim(at(29))).await, []);
    assert_eq!(ids(&claimed(store, &claim(at(30))).await), job_ids(&[2]));
}

pub async fn a_heartbeat_keeps_the_merge_lease_of_its_pipeline(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    queue(store, &one, vec![merge_job(&one, 1), gate_job(&one, 3)]).await;
    queue(store, &two, vec![merge_job(&two, 2)]).await;
    let held = claimed(store, &claim(at(0))).await;
    assert_eq!(ids(&held), job_ids(&[1, 3]));
    assert!(store.settle_job(&completed(&held[0])).await.unwrap());
    let lost = store.heartbeat(&[(held[1].id, token(&held[1]))], at(60)).await.unwrap();
    assert_eq!(lost, []);
    assert_eq!(claimed(store, &claim(at(59))).await, [], "a gate of the merge keeps it");
    let late = store.heartbeat(&[(held[0].id, token(&held[0]))], at(100)).await.unwrap();
    assert_eq!(late, [held[0].id]);
    assert_eq!(
        ids(&claimed(store, &claim(at(60))).await),
        job_ids(&[2]),
        "a job that has ended keeps nothing"
    );
}

pub async fn projects_merge_side_by_side(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "AB").await, pipeline(store, 2, "ET").await);
    queue(store, &one, vec![merge_job(&one, 1)]).await;
    queue(store, &two, vec![merge_job(&two, 2)]).await;
    assert_eq!(ids(&claimed(store, &Claim { limit: 2, ..claim(at(0)) }).await), job_ids(&[1, 2]));
}

pub async fn who_merges_is_known_as_long_as_the_lease_lasts(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "AB").await);
    let merging =
        async |of: &Pipeline, second| store.find_merging(&of.project, at(second)).await.unwrap();
    let one = queue(store, &one, vec![merge_job(&one, 1)]).await;
    assert_eq!(merging(&one, 0).await, None, "it waits");
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[1]));
    assert_eq!(merging(&one, 29).await, Some(one.id));
    assert_eq!(merging(&one, 30).await, None, "the lease is over");
    assert_eq!(merging(&two, 0).await, None, "another project");
    done(store, Step { release_merge_lease: true, ..step(&one) }).await;
    assert_eq!(merging(&one, 1).await, None);
}
