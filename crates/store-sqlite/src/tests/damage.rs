//! Rows that cannot be: one is named, the others go on.

use std::collections::BTreeMap;

use domain::{
    id::{JobId, LetterId, PipelineId},
    job::{JobStateTag, Work},
    outbox::LetterInput,
    pipeline::EventKind,
};
use ports::{
    Claim, JobFilter, LetterFilter, NewLetter, PipelineFilter, Step, Store as _, StoreError,
};
use testkit::store_conformance::fixtures::{
    agent_job, at, claim, definition, definition_hash, destination, done, gate_job, guards, ids,
    job, job_ids, merge_job, open, pipeline, queue, running, set_breaker, step, step_to, take,
};

use crate::{SqliteStore, error::Doing as _};

/// Two pipelines with a job each, the first of which is damaged by `statement`.
async fn damaged(statement: &'static str) -> (SqliteStore, PipelineId) {
    let store = SqliteStore::in_memory().unwrap();
    let (one, two) = (pipeline(&store, 1, "ET").await, pipeline(&store, 2, "ET").await);
    queue(&store, &one, vec![gate_job(&one, 1)]).await;
    queue(&store, &two, vec![gate_job(&two, 2)]).await;
    let written = store
        .write(move |connection| connection.execute(statement, []).doing("damage a row"))
        .await;
    assert_eq!(written.unwrap(), 1);
    (store, one.id)
}

#[tokio::test]
async fn a_damaged_pipeline_is_named_with_what_is_wrong_and_the_others_are_listed() {
    for (statement, column) in [
        ("UPDATE pipelines SET document = '{}' WHERE number = 1", "document"),
        (
            "UPDATE pipelines SET document = replace(document, '\"version\":1,', '\"version\":2,') WHERE number = 1",
            "document",
        ),
        ("UPDATE pipelines SET document = CAST(x'ff' AS TEXT) WHERE number = 1", ""),
        ("UPDATE pipelines SET status = 'failed' WHERE number = 1", "status"),
        ("UPDATE pipelines SET status = 'paused', stage = 'review' WHERE number = 1", "status"),
        ("UPDATE pipelines SET version = 7 WHERE number = 1", "version"),
        ("UPDATE pipelines SET number = 9 WHERE number = 1", "number"),
        ("UPDATE pipelines SET created_at = 9 WHERE number = 1", "created_at"),
    ] {
        let (store, id) = damaged(statement).await;
        match store.find_pipeline(id).await {
            Err(StoreError::Inconsistent { table, id: named, what }) => {
                assert_eq!((table, named), ("pipelines", id.to_string()));
                assert!(what.starts_with(column), "{statement}: {what}");
            }
            other => panic!("{statement}: {other:?}"),
        }
        let listed = store.list_pipelines(&PipelineFilter::default()).await.unwrap();
        assert_eq!(
            listed.iter().map(|pipeline| pipeline.id).collect::<Vec<_>>(),
            [PipelineId::from_u128(2)],
            "{statement}"
        );
    }
}

#[tokio::test]
async fn a_damaged_job_leaves_the_queue_and_the_others_are_given_out() {
    for statement in [
        "UPDATE jobs SET work = 'x' WHERE round = 1",
        "UPDATE jobs SET slot = 'x' WHERE round = 1",
        "UPDATE jobs SET project = '/../' WHERE round = 1",
        "UPDATE jobs SET kind = 'git' WHERE round = 1",
        "UPDATE jobs SET commit_sha = 'HEAD' WHERE round = 1",
        "UPDATE jobs SET priority = 1000000000000 WHERE round = 1",
        "UPDATE jobs SET id = 'job_x' WHERE round = 1",
    ] {
        let (store, _) = damaged(statement).await;
        let given = store.claim(&claim(at(0))).await.unwrap();
        assert_eq!(ids(&given), job_ids(&[2]), "{statement}");
        assert_eq!(store.claim(&claim(at(0))).await.unwrap(), [], "{statement}");
        assert_eq!(
            store.next_due(&BTreeMap::new()).await.unwrap().job,
            None,
            "{statement}: nobody is woken for it"
        );
        let queued = JobFilter { pipeline: None, states: vec![JobStateTag::Queued] };
        assert_eq!(store.list_jobs(&queued).await.unwrap(), [], "{statement}: it is left out");
    }
}

/// Nobody takes it back, so that the others would wait until somebody has mended the row.
#[tokio::test]
async fn the_probe_of_a_parked_pipeline_keeps_nobody_waiting() {
    let store = SqliteStore::in_memory().unwrap();
    let (one, two) = (pipeline(&store, 1, "ET").await, pipeline(&store, 2, "ET").await);
    queue(&store, &one, vec![agent_job(&one, 1, "claude")]).await;
    queue(&store, &two, vec![agent_job(&two, 2, "claude"), agent_job(&two, 3, "claude")]).await;
    set_breaker(&store, "claude@a", open(Some(60))).await;
    let guarded = Claim { breakers: guards(), ..claim(at(60)) };
    assert_eq!(ids(&store.claim(&guarded).await.unwrap()), job_ids(&[1]));
    let damage = "UPDATE pipelines SET document = '{}' WHERE number = 1";
    let written = store.write(move |connection| connection.execute(damage, []).doing("damage"));
    assert_eq!(written.await.unwrap(), 1);
    assert_eq!(store.claim(&guarded).await.unwrap(), [], "nobody has looked at it yet");
    assert_eq!(store.park_damaged(at(60)).await.unwrap().len(), 1);
    assert_eq!(ids(&store.claim(&guarded).await.unwrap()), job_ids(&[2]), "one tries in its place");
    assert_eq!(store.claim(&guarded).await.unwrap(), []);
}

/// Others of the project would wait until its lease runs out, and again with each that is parked.
#[tokio::test]
async fn the_merge_lease_of_a_parked_pipeline_keeps_nobody_waiting() {
    let store = SqliteStore::in_memory().unwrap();
    let (one, two) = (pipeline(&store, 1, "ET").await, pipeline(&store, 2, "ET").await);
    queue(&store, &one, vec![merge_job(&one, 1)]).await;
    queue(&store, &two, vec![merge_job(&two, 2)]).await;
    assert_eq!(ids(&store.claim(&claim(at(0))).await.unwrap()), job_ids(&[1]));
    let damage = "UPDATE pipelines SET document = '{}' WHERE number = 1";
    let written = store.write(move |connection| connection.execute(damage, []).doing("damage"));
    assert_eq!(written.await.unwrap(), 1);
    assert_eq!(store.claim(&claim(at(1))).await.unwrap(), [], "nobody has looked at it yet");
    assert_eq!(store.park_damaged(at(1)).await.unwrap().len(), 1);
    assert_eq!(ids(&store.claim(&claim(at(1))).await.unwrap()), job_ids(&[2]));
}

/// What the watchdog takes for stranded, a check of the whole database does as well.
#[tokio::test]
async fn a_clean_up_moves_no_pipeline_also_for_who_checks_everything() {
    let store = SqliteStore::in_memory().unwrap();
    let made = pipeline(&store, 1, "ET").await;
    let cleanup = job(&made, 1, Work::Cleanup);
    done(&store, Step { jobs: vec![cleanup], ..step_to(&made, running()) }).await;
    assert_eq!(store.list_stranded().await.unwrap().len(), 1);
    let broken = store.check(at(60)).await.unwrap().broken;
    assert!(broken.iter().any(|it| it.starts_with("I4")), "{broken:?}");
}

#[tokio::test]
async fn a_mended_job_is_given_out_again() {
    let (store, _) = damaged("UPDATE jobs SET commit_sha = 'HEAD' WHERE round = 1").await;
    assert_eq!(ids(&store.claim(&claim(at(0))).await.unwrap()), job_ids(&[2]));
    let mend = "UPDATE jobs SET commit_sha = NULL WHERE damaged LIKE 'commit_sha: `HEAD` is not%'";
    let mended = store.write(move |connection| connection.execute(mend, []).doing("mend")).await;
    assert_eq!(mended.unwrap(), 1);
    assert_eq!(store.claim(&claim(at(0))).await.unwrap(), [], "nobody has looked at it yet");
    assert_eq!(store.park_damaged(at(0)).await.unwrap(), []);
    assert_eq!(ids(&store.claim(&claim(at(0))).await.unwrap()), [JobId::from_u128(1)]);
}

/// New work would be refused for good otherwise, by a definition that everybody has.
#[tokio::test]
async fn a_damaged_definition_is_mended_by_whoever_brings_it_again() {
    for statement in [
        "UPDATE definitions SET document = '0'",
        "UPDATE definitions SET document = replace(document, '\"version\":1,', '\"version\":9,')",
        "UPDATE definitions SET document = CAST(x'ff' AS TEXT)",
    ] {
        let (store, id) = damaged(statement).await;
        let parked = store.park_damaged(at(0)).await.unwrap();
        assert_eq!(parked.len(), 2, "{statement}: {parked:?}");
        assert_eq!(store.claim(&claim(at(0))).await.unwrap(), [], "{statement}");
        store.save_definition(&definition_hash(), &definition()).await.unwrap();
        let found = store.find_definition(&definition_hash()).await.unwrap();
        assert_eq!(found, Some(definition()), "{statement}");
        assert_eq!(store.park_damaged(at(0)).await.unwrap(), [], "{statement}");
        let given = store.claim(&claim(at(0))).await.unwrap();
        assert!(given.iter().any(|job| job.pipeline == id), "{statement}");
    }
}

/// Two letters, of which the first is damaged.
async fn with_damaged_letter(statement: &'static str) -> SqliteStore {
    let store = SqliteStore::in_memory().unwrap();
    let made = pipeline(&store, 1, "ET").await;
    let letters = [0, 1].map(|event| NewLetter {
        id: LetterId::from_u128(event as u128),
        destination: destination("log"),
        event,
    });
    let events = vec![EventKind::Paused; 2];
    done(&store, Step { events, letters: letters.to_vec(), ..step(&made) }).await;
    let written = store
        .write(move |connection| connection.execute(statement, []).doing("damage a row"))
        .await;
    assert_eq!(written.unwrap(), 1);
    store
}

#[tokio::test]
async fn a_mended_letter_is_given_out_again_and_one_that_is_still_damaged_is_not() {
    let store = with_damaged_letter("UPDATE outbox SET due_at = due_at - 1 WHERE event = 1").await;
    let given = store.take_letters(&take(at(9), &["log"])).await.unwrap().remove(0);
    let delivered = given.decide(&LetterInput::Delivered { remote: None }, at(9)).unwrap();
    assert!(store.settle_letter(&delivered).await.unwrap());
    assert_eq!(store.park_damaged(at(9)).await.unwrap(), [], "no pipeline waits for a letter");
    assert_eq!(store.take_letters(&take(at(9), &["log"])).await.unwrap(), []);
    let mend = "UPDATE outbox SET due_at = due_at + 1 WHERE damaged LIKE 'due_at: %'";
    let mended = store.write(move |connection| connection.execute(mend, []).doing("mend")).await;
    assert_eq!(mended.unwrap(), 1);
    assert_eq!(store.take_letters(&take(at(9), &["log"])).await.unwrap(), [], "nobody looked yet");
    store.park_damaged(at(9)).await.unwrap();
    let given = store.take_letters(&take(at(9), &["log"])).await.unwrap();
    assert_eq!(given.iter().map(|it| it.id).collect::<Vec<_>>(), [LetterId::from_u128(0)]);
}

#[tokio::test]
async fn a_damaged_letter_is_taken_out_of_the_way_and_those_behind_it_are_given_out() {
    for statement in [
        "UPDATE outbox SET document = '{}' WHERE event = 1",
        "UPDATE outbox SET document = replace(document, '\"version\":1,', '\"version\":2,') WHERE event = 1",
        "UPDATE outbox SET document = CAST(x'ff' AS TEXT) WHERE event = 1",
        "UPDATE outbox SET state = 'sending' WHERE event = 1",
        "UPDATE outbox SET due_at = due_at - 1 WHERE event = 1",
        "UPDATE outbox SET id = 'ltr_x' WHERE event = 1",
    ] {
        let store = with_damaged_letter(statement).await;
        let given = store.take_letters(&take(at(9), &["log"])).await.unwrap();
        let second: Vec<_> = given.iter().map(|letter| letter.id).collect();
        assert_eq!(second, [LetterId::from_u128(1)], "{statement}");
        let listed = store.list_letters(&LetterFilter::default()).await.unwrap();
        assert_eq!(listed, given, "{statement}: it is left out");
        let damaged = store.damaged_letters().await.unwrap();
        assert_eq!(damaged.len(), 1, "{statement}: it is named");
    }
}
