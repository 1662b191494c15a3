//! The store and its directory: who may have it, what is left of it, what it says when it cannot go on.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use domain::pipeline::PipelineState;
use ports::{Applied, PipelineFilter, Step, Store as _, StoreError};
use store_sqlite::{Mode, Options, SqliteStore, Unusable};
use tempfile::TempDir;
use testkit::store_conformance::fixtures::{
    at, claim, completed, done, gate_job, new_pipeline, pipeline, prepare, queue, running, step,
    step_to,
};

fn directory() -> (TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = Utf8PathBuf::try_from(directory.path().join("data")).expect("a path in UTF-8");
    (directory, data_dir)
}

fn open(data_dir: &Utf8Path) -> Result<SqliteStore, StoreError> {
    let mode = Mode::ReadWrite { holder: "pid 7, `gatewright run`".to_owned() };
    SqliteStore::open(Options { data_dir: data_dir.to_owned(), mode, queue_max: 1_000 })
}

fn open_for_reading(data_dir: &Utf8Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Options {
        data_dir: data_dir.to_owned(),
        mode: Mode::ReadOnly,
        queue_max: 10,
    })
}

#[tokio::test]
async fn nobody_else_can_open_the_directory_for_writing() {
    let (_directory, data_dir) = directory();
    let first = open(&data_dir).unwrap();
    match open(&data_dir) {
        Err(StoreError::InUse { path, holder }) => {
            assert_eq!(
                (path.as_str(), holder.as_str()),
                (data_dir.as_str(), "pid 7, `gatewright run`")
            );
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    open(&data_dir).expect("it is free again");
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let (_directory, data_dir) = directory();
    let store = open(&data_dir).unwrap();
    prepare(&store, "ET").await;
    let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    let mut names = Vec::new();
    for entry in data_dir.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        assert_eq!(mode(&path), 0o600, "{path}");
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["gatewright.db", "gatewright.db-shm", "gatewright.db-wal", "lock"]);
}

#[tokio::test]
async fn a_reader_sees_what_another_process_writes_and_writes_nothing() {
    let (_directory, data_dir) = directory();
    let writer = open(&data_dir).unwrap();
    let reader = open_for_reading(&data_dir).unwrap();
    let made = pipeline(&writer, 1, "ET").await;
    assert_eq!(reader.find_pipeline(made.id).await.unwrap().as_ref(), Some(&made));
    let moved = done(&writer, step_to(&made, running())).await;
    let listed = reader.list_pipelines(&PipelineFilter::default()).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&moved));
    let refused = reader.apply(&step(&moved)).await;
    assert!(
        matches!(&refused, Err(StoreError::ReadOnly { path }) if *path == data_dir),
        "{refused:?}"
    );
    drop(writer);
    assert_eq!(reader.find_pipeline(made.id).await.unwrap(), Some(moved));
}

#[tokio::test]
async fn a_reader_needs_no_writer_to_be_there() {
    let (_directory, data_dir) = directory();
    let writer = open(&data_dir).unwrap();
    let made = pipeline(&writer, 1, "ET").await;
    let (_copy, killed) = as_if_killed(&data_dir);
    drop(writer);
    for left in [data_dir, killed] {
        let reader = open_for_reading(&left).unwrap();
        assert_eq!(reader.find_pipeline(made.id).await.unwrap().as_ref(), Some(&made), "{left}");
    }
}

#[tokio::test]
async fn a_reader_says_so_where_nothing_was_ever_written() {
    let (_directory, data_dir) = directory();
    let error = open_for_reading(&data_dir).expect_err("there is nothing");
    let source = std::error::Error::source(&error).expect("it has a reason").to_string();
    assert_eq!(
        source,
        format!("there is no database in {data_dir}: nothing was started there yet")
    );
    assert!(!data_dir.exists(), "reading makes no directory");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let (directory, _) = directory();
    let in_the_way = Utf8PathBuf::try_from(directory.path().join("file")).unwrap();
    fs::write(&in_the_way, "").unwrap();
    for data_dir in [in_the_way.clone(), in_the_way.join("below")] {
        let error = open(&data_dir).expect_err("a file is no directory");
        assert!(matches!(&error, StoreError::ReadOnly { path } if *path == data_dir), "{error:?}");
    }
}

#[tokio::test]
async fn a_lock_that_cannot_be_opened_leaves_no_database_behind() {
    let (_directory, data_dir) = directory();
    fs::create_dir_all(data_dir.join("lock")).unwrap();
    let error = open(&data_dir).expect_err("a directory is no lock");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(!data_dir.join("gatewright.db").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let (_directory, data_dir) = directory();
    fs::create_dir_all(&data_dir).unwrap();
    let words = "These are somebody's words, and no database at all. ".repeat(100);
    fs::write(data_dir.join("gatewright.db"), &words).unwrap();
    let error = open(&data_dir).expect_err("it is no database");
    match Unusable::find_in(&error) {
        Some(Unusable::NoDatabase { said, .. }) => {
            assert_eq!(said.to_string(), "code 26 of SQLite");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(data_dir.join("gatewright.db")).unwrap(), words);
}

/// Another program's database must not get our tables, and one of ours without some of them cannot be worked with.
#[tokio::test]
async fn a_database_with_other_tables_is_refused_and_left_alone() {
    for (sql, words) in [
        ("PRAGMA user_version = 0", "it has tables of its own, such as `breakers`"),
        ("PRAGMA user_version = -7", "its schema says -7"),
        ("PRAGMA foreign_keys = OFF; DROP TABLE outbox", "the table `outbox` of schema"),
    ] {
        let (_directory, data_dir) = directory();
        drop(open(&data_dir).unwrap());
        let database = data_dir.join("gatewright.db");
        rusqlite::Connection::open(&database).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&database).unwrap();
        for opened in [open(&data_dir), open_for_reading(&data_dir)] {
            let error = opened.expect_err(sql);
            match Unusable::find_in(&error) {
                Some(Unusable::Foreign { what, .. }) => assert!(what.contains(words), "{what}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
        assert_eq!(fs::read(&database).unwrap(), before, "{sql}: it was changed");
    }
}

/// A log without its database, and a database without a table, are what is left of a lost one.
#[tokio::test]
async fn what_is_left_of_a_lost_database_is_told_from_a_beginning() {
    let (_directory, data_dir) = directory();
    let store = open(&data_dir).unwrap();
    prepare(&store, "ET").await;
    let (_copy, left) = as_if_killed(&data_dir);
    drop(store);
    fs::remove_file(left.join("gatewright.db")).unwrap();
    let error = open(&left).expect_err("its log is still there");
    assert!(
        matches!(Unusable::find_in(&error), Some(Unusable::Lost { traces, .. }) if traces.contains("-wal")),
        "{error:?}"
    );
    assert!(!left.join("gatewright.db").exists());

    let (_directory, data_dir) = directory();
    for place in ["evidence/here", "drops", "mirrors"] {
        fs::create_dir_all(data_dir.join(place)).unwrap();
    }
    drop(open(&data_dir).expect("nothing of that has come from a database"));
}

/// What a process that is killed leaves: the files as they are between two commits, nothing closed, nothing flushed.
fn as_if_killed(data_dir: &Utf8Path) -> (TempDir, Utf8PathBuf) {
    let (directory, copy) = directory();
    fs::create_dir(&copy).expect("a directory");
    for name in ["gatewright.db", "gatewright.db-wal"] {
        fs::copy(data_dir.join(name), copy.join(name)).expect("a copy");
    }
    (directory, copy)
}

#[tokio::test]
async fn every_answer_outlives_a_kill() {
    let (_directory, data_dir) = directory();
    let store = open(&data_dir).unwrap();
    let mut moved = pipeline(&store, 1, "ET").await;
    for _ in 0..5 {
        moved = done(&store, step_to(&moved, running())).await;
        let (_copy, left) = as_if_killed(&data_dir);
        let reopened = open(&left).unwrap();
        assert_eq!(reopened.find_pipeline(moved.id).await.unwrap().as_ref(), Some(&moved));
        assert_eq!(reopened.apply(&step_again(&moved)).await.unwrap(), Applied::Duplicate);
    }
}

/// The step that led to this version, brought once more.
fn step_again(moved: &domain::pipeline::Pipeline) -> Step {
    Step { input: format!("{}/{}", moved.id, moved.version), ..step(moved) }
}

#[tokio::test]
async fn many_callers_are_served_together_and_each_hears_its_own_answer() {
    let (_directory, data_dir) = directory();
    let store = Arc::new(open(&data_dir).unwrap());
    prepare(&*store, "ET").await;
    let callers: Vec<_> = (1..=200)
        .map(|id| {
            let store = Arc::clone(&store);
            // Every tenth asks for what cannot be: a pipeline of a project that nobody knows.
            let key = if id % 10 == 0 { "XX" } else { "ET" };
            tokio::spawn(async move { store.create_pipeline(&new_pipeline(id, key)).await })
        })
        .collect();
    let mut numbers = Vec::new();
    for (id, caller) in (1..).zip(callers) {
        match caller.await.unwrap() {
            Ok(made) => {
                assert_eq!(made.id, new_pipeline(id, "ET").id);
                numbers.push(made.item.key.number);
            }
            Err(error) => assert_eq!(id % 10, 0, "{error:?}"),
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=180).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_changes_nothing_for_the_others() {
    use std::{future::Future as _, pin::pin, task::Poll};

    let (_directory, data_dir) = directory();
    let store = open(&data_dir).unwrap();
    prepare(&store, "ET").await;
    for id in 1..=20 {
        let new = new_pipeline(id, "ET");
        let mut abandoned = pin!(store.create_pipeline(&new));
        // Asked for once, so that the call is on its way, and then dropped.
        std::future::poll_fn(|context| {
            drop(abandoned.as_mut().poll(context));
            Poll::Ready(())
        })
        .await;
    }
    let next = store.create_pipeline(&new_pipeline(21, "ET")).await.unwrap();
    assert_eq!(next.item.key.number, 21, "what was asked for was done");
}

#[tokio::test]
async fn work_goes_on_after_a_restart() {
    let (_directory, data_dir) = directory();
    let store = open(&data_dir).unwrap();
    let made = pipeline(&store, 1, "ET").await;
    let moved = queue(&store, &made, vec![gate_job(&made, 1)]).await;
    let held = store.claim(&claim(at(0))).await.unwrap().remove(0);
    drop(store);
    let store = open(&data_dir).unwrap();
    assert_eq!(store.claim(&claim(at(1))).await.unwrap(), [], "the lease outlives the process");
    let end = PipelineState::Cancelled { by: "ann".to_owned(), reason: "enough".to_owned() };
    done(&store, Step { job: Some(completed(&held)), ..step_to(&moved, end) }).await;
}
