//! Which job is given out first, and which not at all.

use std::collections::BTreeMap;

use domain::job::{Job, Work};
use ports::{Caps, Claim, Store};

use super::fixtures::{
    agent, agent_job, at, claim, claimed, completed, done, gate_job, ids, job, job_ids, paused,
    pipeline, queue, running, step_to,
};

fn caps(total: u32) -> Caps {
    Caps { total, per_project: None, per_agent: BTreeMap::new() }
}

pub async fn the_highest_priority_goes_first_and_then_the_oldest(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let young = Job { created_at: at(9), ..gate_job(&made, 1) };
    let urgent = Job { created_at: at(9), priority: 1, ..gate_job(&made, 2) };
    let idle = Job { priority: -1, ..gate_job(&made, 3) };
    queue(store, &made, vec![young, urgent, idle, gate_job(&made, 5), gate_job(&made, 4)]).await;
    assert_eq!(ids(&claimed(store, &claim(at(10))).await), job_ids(&[2, 4, 5, 1, 3]));
}

pub async fn a_busy_project_does_not_starve_another(store: &dyn Store) {
    let busy = pipeline(store, 1, "AB").await;
    let calm = pipeline(store, 2, "ET").await;
    queue(store, &busy, (1..=6).map(|id| Job { priority: 9, ..gate_job(&busy, id) }).collect())
        .await;
    queue(
        store,
        &calm,
        (7..=8).map(|id| Job { created_at: at(9), ..gate_job(&calm, id) }).collect(),
    )
    .await;
    let first = claimed(store, &Claim { limit: 5, ..claim(at(10)) }).await;
    assert_eq!(ids(&first), job_ids(&[1, 7, 2, 8, 3]), "turn and turn about");
    assert_eq!(ids(&claimed(store, &claim(at(10))).await), job_ids(&[4, 5, 6]));
}

pub async fn what_runs_already_counts_for_fairness(store: &dyn Store) {
    let busy = pipeline(store, 1, "AB").await;
    let calm = pipeline(store, 2, "ET").await;
    let busy = queue(store, &busy, vec![gate_job(&busy, 1), gate_job(&busy, 2)]).await;
    assert_eq!(claimed(store, &claim(at(0))).await.len(), 2);
    queue(store, &busy, vec![gate_job(&busy, 3)]).await;
    queue(store, &calm, vec![gate_job(&calm, 4), gate_job(&calm, 5), gate_job(&calm, 6)]).await;
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[4, 5, 3, 6]));
}

pub async fn caps_hold(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "AB").await, pipeline(store, 2, "ET").await);
    queue(store, &one, (1..=4).map(|id| agent_job(&one, id, "claude")).collect()).await;
    queue(store, &two, (5..=8).map(|id| agent_job(&two, id, "codex")).collect()).await;
    let with = |caps: Caps| Claim { caps, ..claim(at(0)) };
    assert_eq!(claimed(store, &with(caps(0))).await, []);
    assert_eq!(ids(&claimed(store, &with(caps(2))).await), job_ids(&[1, 5]));
    assert_eq!(claimed(store, &with(caps(2))).await, [], "others' jobs count");
    let per_agent = BTreeMap::from([(agent("claude"), 1)]);
    assert_eq!(ids(&claimed(store, &with(Caps { per_agent, ..caps(3) })).await), job_ids(&[6]));
    let per_project = Some(2);
    assert_eq!(ids(&claimed(store, &with(Caps { per_project, ..caps(9) })).await), job_ids(&[2]));
}

pub async fn a_cap_has_room_again_when_a_job_ends(store: &dyn Store) {
    let made = pipeline(store, 1, "AB").await;
    queue(store, &made, vec![gate_job(&made, 1), gate_job(&made, 2)]).await;
    let first = claimed(store, &Claim { caps: caps(1), ..claim(at(0)) }).await;
    assert_eq!(ids(&first), job_ids(&[1]));
    assert!(store.settle_job(&completed(&first[0])).await.unwrap());
    assert_eq!(ids(&claimed(store, &Claim { caps: caps(1), ..claim(at(0)) }).await), job_ids(&[2]));
}

pub async fn git_jobs_and_clean_ups_stand_outside_the_caps(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let jobs = vec![
        gate_job(&made, 1),
        job(&made, 2, Work::Open),
        job(&made, 3, Work::Cleanup),
        agent_job(&made, 4, "claude"),
    ];
    queue(store, &made, jobs).await;
    assert_eq!(
        ids(&claimed(store, &Claim { caps: caps(0), ..claim(at(0)) }).await),
        job_ids(&[2, 3])
    );
    assert_eq!(
        ids(&claimed(store, &Claim { caps: caps(1), ..claim(at(0)) }).await),
        job_ids(&[1]),
        "git jobs take no room"
    );
}

pub async fn jobs_of_a_paused_pipeline_stay(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let other = pipeline(store, 2, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1), job(&made, 2, Work::Cleanup)]).await;
    queue(store, &other, vec![gate_job(&other, 3)]).await;
    let waiting = done(store, step_to(&moved, paused())).await;
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[3]));
    done(store, step_to(&waiting, running())).await;
    assert_eq!(ids(&claimed(store, &claim(at(0))).await), job_ids(&[1, 2]));
}
