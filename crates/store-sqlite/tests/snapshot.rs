//! The whole database as one file: consistent while others write, and refused where it is not what it says.

use std::{error::Error as _, fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use domain::pipeline::EventKind;
use ports::{PipelineFilter, Step, Store as _, StoreError};
use store_sqlite::{Mode, Options, RESTORING, SqliteStore, bring_up_to_date, examine, snapshot};
use tempfile::TempDir;
use testkit::store_conformance::fixtures::{done, new_pipeline, pipeline, prepare, step};

fn directory() -> (TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
    (directory, path)
}

fn open(data_dir: &Utf8Path) -> Result<SqliteStore, StoreError> {
    let mode = Mode::ReadWrite { holder: "a test".to_owned() };
    SqliteStore::open(Options { data_dir: data_dir.to_owned(), mode, queue_max: 1_000 })
}

/// Puts a file into a new data directory, as a restore does.
fn as_data_dir(file: &Utf8Path) -> (TempDir, Utf8PathBuf) {
    let (directory, data_dir) = directory();
    fs::copy(file, data_dir.join("gatewright.db")).expect("a copy");
    (directory, data_dir)
}

/// F20: whoever writes never hears that the database is busy, with 64 callers at once and copies being made; and each
/// copy is of one moment: no event without its pipeline's version, no version without its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f20_copies_of_a_busy_database_are_whole_and_nobody_is_refused() {
    let (_directory, root) = directory();
    let data_dir = root.join("data");
    let store = Arc::new(open(&data_dir).unwrap());
    prepare(&*store, "ET").await;
    let callers: Vec<_> = (1..=64)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut written = store.create_pipeline(&new_pipeline(id, "ET")).await?;
                for _ in 0..20 {
                    let one_event = Step { events: vec![EventKind::Started], ..step(&written) };
                    written = done(&*store, one_event).await;
                    store.list_pipelines(&PipelineFilter::default()).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .collect();
    for number in 0..5 {
        let (from, to) = (data_dir.clone(), root.join(format!("copy-{number}")));
        let copied = {
            let to = to.clone();
            tokio::task::spawn_blocking(move || snapshot(&from, &to)).await.unwrap()
        };
        copied.unwrap();
        let contents = examine(&to).unwrap();
        assert_eq!(contents.dangling, [""; 0]);
        let (_directory, copy) = as_data_dir(&to);
        let copy = open(&copy).unwrap();
        let pipelines = copy.list_pipelines(&PipelineFilter::default()).await.unwrap();
        assert_eq!(pipelines.len() as u64, contents.pipelines);
        let versions: u64 = pipelines.iter().map(|pipeline| pipeline.version).sum();
        assert_eq!(versions, contents.events, "one event a step");
    }
    for caller in callers {
        caller.await.unwrap().expect("nobody is refused");
    }
}

#[tokio::test]
async fn a_copy_can_be_worked_with_and_the_original_is_left_alone() {
    let (_directory, root) = directory();
    let store = open(&root.join("data")).unwrap();
    let made = pipeline(&store, 1, "ET").await;
    let moved = done(&store, step(&made)).await;
    let file = root.join("copy");
    snapshot(&root.join("data"), &file).unwrap();
    let after = done(&store, step(&moved)).await;
    bring_up_to_date(&file).unwrap();
    let (_copied, copy) = as_data_dir(&file);
    let copy = open(&copy).unwrap();
    assert_eq!(copy.find_pipeline(made.id).await.unwrap().as_ref(), Some(&moved));
    done(&copy, step(&moved)).await;
    assert_eq!(store.find_pipeline(made.id).await.unwrap(), Some(after));
}

/// What is wrong with a file, in words.
fn refusal(file: &Utf8Path) -> String {
    let error = examine(file).expect_err("it is refused");
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

fn change(file: &Utf8Path, sql: &str) {
    let status = rusqlite::Connection::open(file).and_then(|it| it.execute_batch(sql));
    status.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_is_refused_with_words() {
    let (_directory, root) = directory();
    let store = open(&root.join("data")).unwrap();
    for id in 1..50 {
        pipeline(&store, id, "ET").await;
    }
    let copy = |name: &str| {
        let file = root.join(name);
        snapshot(&root.join("data"), &file).expect("a copy");
        file
    };

    let file = copy("no database");
    fs::write(&file, "somebody's words ".repeat(1_000)).unwrap();
    assert!(refusal(&file).contains("is no database"), "{}", refusal(&file));

    let file = copy("cut short");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let words = refusal(&file);
    assert!(words.contains("is damaged"), "{words}");

    let file = root.join("foreign");
    change(&file, "CREATE TABLE pipelines (id TEXT)");
    assert!(refusal(&file).contains("is no database of gatewright"), "{}", refusal(&file));

    let file = copy("with a trigger");
    change(&file, "CREATE TRIGGER gift AFTER UPDATE ON jobs BEGIN DELETE FROM timers; END");
    assert!(refusal(&file).contains("the trigger `gift` differs"), "{}", refusal(&file));

    let file = copy("without a trigger");
    change(&file, "DROP TRIGGER events_are_not_removed");
    assert!(refusal(&file).contains("the trigger `events_are_not_removed` differs"));

    let file = copy("newer");
    change(&file, "PRAGMA user_version = 99");
    assert!(matches!(examine(&file), Err(StoreError::NewerSchema { found: 99, .. })));

    let file = copy("with a dangling row");
    change(&file, "PRAGMA foreign_keys = OFF; INSERT INTO timers VALUES ('pl_x', 'wall_time', 0)");
    let dangling = examine(&file).unwrap().dangling;
    assert_eq!(dangling, ["timers names a row of pipelines that is not there"]);
}

#[tokio::test]
async fn a_directory_that_is_half_restored_begins_nothing() {
    let (_directory, data_dir) = directory();
    fs::create_dir(data_dir.join(RESTORING)).unwrap();
    for refused in [
        open(&data_dir).map(drop),
        SqliteStore::open(Options {
            data_dir: data_dir.clone(),
            mode: Mode::ReadOnly,
            queue_max: 1,
        })
        .map(drop),
    ] {
        let source = refused.expect_err("it is half there").source().unwrap().to_string();
        assert!(source.contains("half restored"), "{source}");
    }
    assert!(!data_dir.join("gatewright.db").exists());
    fs::remove_dir(data_dir.join(RESTORING)).unwrap();
    pipeline(&open(&data_dir).unwrap(), 1, "ET").await;
    fs::create_dir(data_dir.join(RESTORING)).unwrap();
    open(&data_dir).expect("what is left over of a restore that has ended hurts nobody");
}
