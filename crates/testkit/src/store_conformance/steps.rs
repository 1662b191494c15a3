//! Steps: written whole, once, and only by who may.

use domain::{
    job::{Job, JobInput, JobKind, JobState, JobStateTag, Work},
    pipeline::{EventKind, Pipeline, TimerKey},
    verdict::VerdictOutcome,
};
use ports::{Applied, JobFilter, Step, Store, TimerChange};

use super::fixtures::{
    TTL, agent_job, at, claim, claimed, completed, decision, done, gate_job, ids, job, job_ids,
    load_job, new_pipeline, pipeline, prepare, queue, run, running, step, step_to, update, verdict,
};

/// A step with something of everything.
fn rich(pipeline: &Pipeline) -> Step {
    Step {
        events: vec![EventKind::Started, EventKind::Paused],
        jobs: vec![agent_job(pipeline, 50, "claude")],
        opened: vec![decision(pipeline, 1)],
        timers: vec![TimerChange::Arm { timer: TimerKey::WallTime, at: at(60) }],
        verdicts: vec![verdict("tests", 'a', VerdictOutcome::Pass)],
        runs: vec![run(&agent_job(pipeline, 50, "claude"), 1)],
        ..step_to(pipeline, running())
    }
}

/// Everything about a pipeline, for comparison.
async fn dump(store: &dyn Store, pipeline: &Pipeline) -> String {
    let id = pipeline.id;
    format!(
        "{:#?}",
        (
            store.find_pipeline(id).await.unwrap(),
            store.list_jobs(&JobFilter { pipeline: Some(id), states: Vec::new() }).await.unwrap(),
            store.list_decisions(Some(id), false).await.unwrap(),
            store.list_due_timers(at(1_000_000)).await.unwrap(),
            store.list_verdicts(id).await.unwrap(),
            store.list_runs(id).await.unwrap(),
            store.list_events(Some(id), 0, 1_000).await.unwrap(),
        )
    )
}

pub async fn a_step_is_written_whole(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let step = rich(&made);
    assert_eq!(store.apply(&step).await.unwrap(), Applied::Done { seq: 2 });
    let id = made.id;
    assert_eq!(store.find_pipeline(id).await.unwrap().as_ref(), Some(&step.pipeline));
    assert_eq!(store.list_jobs(&JobFilter::default()).await.unwrap(), step.jobs);
    assert_eq!(store.list_decisions(Some(id), true).await.unwrap(), step.opened);
    assert_eq!(store.list_due_timers(at(60)).await.unwrap().len(), 1);
    assert_eq!(store.list_verdicts(id).await.unwrap(), step.verdicts);
    assert_eq!(store.list_runs(id).await.unwrap(), step.runs);
    let events = store.list_events(Some(id), 0, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>(), step.events);
}

pub async fn a_step_is_written_once_however_often_its_input_comes(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let first = rich(&made);
    let moved = done(store, first.clone()).await;
    let before = dump(store, &made).await;
    assert_eq!(store.apply(&first).await.unwrap(), Applied::Duplicate);
    let again =
        Step { input: first.input.clone(), events: vec![EventKind::Resumed], ..step(&moved) };
    assert_eq!(store.apply(&again).await.unwrap(), Applied::Duplicate);
    assert_eq!(dump(store, &made).await, before);
}

pub async fn a_stale_step_writes_nothing(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = done(store, step(&made)).await;
    let before = dump(store, &made).await;
    for version in [0, moved.version, moved.version + 2] {
        let late = Step { input: format!("late {version}"), ..rich(&made) };
        let late = Step { pipeline: Pipeline { version, ..late.pipeline }, ..late };
        assert_eq!(store.apply(&late).await.unwrap(), Applied::Stale, "version {version}");
    }
    assert_eq!(dump(store, &made).await, before);
    let in_time = Step { input: "late 0".to_owned(), ..rich(&moved) };
    assert!(
        matches!(store.apply(&in_time).await.unwrap(), Applied::Done { .. }),
        "a refused input was not consumed"
    );
}

pub async fn a_step_of_a_pipeline_that_does_not_exist_is_stale(store: &dyn Store) {
    prepare(store, "ET").await;
    let unknown = new_pipeline(1, "ET").numbered(1).unwrap();
    assert_eq!(store.apply(&rich(&unknown)).await.unwrap(), Applied::Stale);
}

pub async fn a_report_settles_its_job_with_the_step(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1)]).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    done(store, Step { job: Some(completed(&held)), ..step(&moved) }).await;
    assert_eq!(load_job(store, held.id).await.state, JobState::Done);
}

pub async fn a_worker_that_lost_its_lease_changes_nothing(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1)]).await;
    let first = claimed(store, &claim(at(0))).await.remove(0);
    let lost = update(&first, &JobInput::Expire, at(40));
    assert!(store.settle_job(&lost).await.unwrap());
    let second = claimed(store, &claim(at(40))).await.remove(0);
    let before = dump(store, &made).await;
    let late = Step { job: Some(completed(&first)), input: "late".to_owned(), ..rich(&moved) };
    assert_eq!(store.apply(&late).await.unwrap(), Applied::Fenced);
    assert_eq!(dump(store, &made).await, before);
    let in_time = Step { job: Some(completed(&second)), ..late };
    assert!(
        matches!(store.apply(&in_time).await.unwrap(), Applied::Done { .. }),
        "the new holder's report counts"
    );
    let again = Step {
        input: "again".to_owned(),
        job: Some(completed(&second)),
        ..step(&in_time.pipeline)
    };
    assert_eq!(
        store.apply(&again).await.unwrap(),
        Applied::Fenced,
        "a job that is done is reported once"
    );
}

pub async fn a_report_about_a_job_that_does_not_exist_is_fenced(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let mut ghost = gate_job(&made, 1);
    let next = ghost.decide(&JobInput::Claim { owner: "w".to_owned(), ttl: TTL }, at(0)).unwrap();
    ghost.state = next.state;
    let step = Step { job: Some(completed(&ghost)), ..step(&made) };
    assert_eq!(store.apply(&step).await.unwrap(), Applied::Fenced);
}

pub async fn duplicate_goes_before_fenced_and_fenced_before_stale(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1)]).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let settled = Step { job: Some(completed(&held)), ..step(&moved) };
    done(store, settled.clone()).await;
    assert_eq!(store.apply(&settled).await.unwrap(), Applied::Duplicate);
    assert_eq!(
        store.apply(&Step { input: "other".to_owned(), ..settled.clone() }).await.unwrap(),
        Applied::Fenced
    );
    assert_eq!(
        store.apply(&Step { input: "other".to_owned(), job: None, ..settled }).await.unwrap(),
        Applied::Stale
    );
}

pub async fn a_slot_that_has_a_job_keeps_it(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let first = gate_job(&made, 1);
    let moved = queue(store, &made, vec![first.clone()]).await;
    let rival = Job { id: job_ids(&[2])[0], ..first.clone() };
    queue(store, &moved, vec![rival]).await;
    assert_eq!(store.list_jobs(&JobFilter::default()).await.unwrap(), [first]);
}

/// A step that leaves the work under way behind.
fn leaving_behind(pipeline: &Pipeline) -> Step {
    let step = step(pipeline);
    Step {
        cancel_jobs: true,
        pipeline: Pipeline { epoch: pipeline.epoch + 1, ..step.pipeline },
        ..step
    }
}

pub async fn cancelling_leaves_clean_ups_alone(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let other = pipeline(store, 2, "ET").await;
    queue(store, &other, vec![gate_job(&other, 9)]).await;
    let jobs = vec![
        gate_job(&made, 1),
        agent_job(&made, 2, "claude"),
        job(&made, 3, Work::Open),
        job(&made, 4, Work::Cleanup),
    ];
    let moved = queue(store, &made, jobs).await;
    let held = claimed(store, &ports::Claim { limit: 1, ..claim(at(0)) }).await;
    assert_eq!(ids(&held), job_ids(&[1]));
    done(store, leaving_behind(&moved)).await;
    let cancelled = JobFilter { states: vec![JobStateTag::Cancelled], pipeline: None };
    assert_eq!(ids(&store.list_jobs(&cancelled).await.unwrap()), job_ids(&[1, 2, 3]));
    let left = store
        .list_jobs(&JobFilter { states: vec![JobStateTag::Queued], pipeline: None })
        .await
        .unwrap();
    assert_eq!(ids(&left), job_ids(&[4, 9]));
    assert_eq!(left[0].slot.work.kind(), JobKind::Cleanup);
}

pub async fn cancelling_leaves_what_has_ended_and_the_new_epoch_alone(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1), gate_job(&made, 2)]).await;
    let held = claimed(store, &claim(at(0))).await;
    assert!(store.settle_job(&completed(&held[0])).await.unwrap());
    let leaving = leaving_behind(&moved);
    let fresh = gate_job(&leaving.pipeline, 3);
    done(store, Step { jobs: vec![fresh], ..leaving }).await;
    let states: Vec<_> = store
        .list_jobs(&JobFilter::default())
        .await
        .unwrap()
        .iter()
        .map(|job| JobStateTag::from(&job.state))
        .collect();
    assert_eq!(states, [JobStateTag::Done, JobStateTag::Cancelled, JobStateTag::Queued]);
}

pub async fn a_job_that_would_be_tried_again_is_cancelled_with_the_others(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![gate_job(&made, 1)]).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let lost = update(&held, &JobInput::Expire, at(1));
    done(store, Step { job: Some(lost), ..leaving_behind(&moved) }).await;
    assert_eq!(load_job(store, held.id).await.state, JobState::Cancelled);
}
