//! A database that SQLite opens without a word, and that is damaged all the same.

use std::{error::Error as _, fs};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use ports::{Store as _, StoreError};
use store_sqlite::{Mode, NoCopy, Options, SqliteStore, Unusable, examine, snapshot};
use tempfile::TempDir;
use testkit::store_conformance::fixtures::{pipeline, running, step_to};

fn open(data_dir: &Utf8Path) -> SqliteStore {
    let mode = Mode::ReadWrite { holder: "a test".to_owned() };
    let options = Options { data_dir: data_dir.to_owned(), mode, queue_max: 10 };
    SqliteStore::open(options).expect("it looks whole")
}

/// A data directory in whose database an index lacks the row of a pipeline.
async fn with_an_odd_index() -> (TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
    drop(open(&data_dir));
    let database = data_dir.join("gatewright.db");
    let change = |sql: &str| {
        let changed = rusqlite::Connection::open(&database).and_then(|it| it.execute_batch(sql));
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    // What is written while the index is out of sight is not in it.
    change(
        "CREATE TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = 'pipelines_of_project';
         PRAGMA writable_schema = ON;
         DELETE FROM sqlite_schema WHERE name = 'pipelines_of_project'",
    );
    let store = open(&data_dir);
    pipeline(&store, 1, "ET").await;
    drop(store);
    change(
        "PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema SELECT * FROM hidden;
         PRAGMA writable_schema = RESET;
         DROP TABLE hidden",
    );
    (directory, data_dir)
}

fn refusal(error: &StoreError) -> String {
    format!("{error}: {}", error.source().expect("it has a reason"))
}

/// Whoever says that a database is whole has asked what a backup of it asks.
#[tokio::test]
async fn a_part_that_something_else_has_changed_is_found() {
    for (sql, odd, words) in [
        (
            "DROP INDEX jobs_ready",
            "the index `jobs_ready` differs",
            Some("no such index: jobs_ready"),
        ),
        ("ALTER TABLE jobs ADD COLUMN mine TEXT", "the table `jobs` differs", None),
        (
            "DROP TRIGGER events_are_not_removed",
            "the trigger `events_are_not_removed` differs",
            None,
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let data_dir = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
        let options = |mode| Options { data_dir: data_dir.clone(), mode, queue_max: 10 };
        let whole = open(&data_dir).check(Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(whole.form, None);
        let changed = rusqlite::Connection::open(data_dir.join("gatewright.db"));
        changed.and_then(|it| it.execute_batch(sql)).expect("it can be changed");
        let reader = SqliteStore::open(options(Mode::ReadOnly)).expect("looking is possible");
        let health = reader.check(Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(health.form.as_deref(), Some(odd), "{health:#?}");
        let opened = SqliteStore::open(options(Mode::ReadWrite { holder: "a test".to_owned() }));
        match (opened, words) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => {
                let unusable = Unusable::find_in(&error);
                assert!(matches!(unusable, Some(Unusable::Changed { .. })), "{error:?}");
                assert!(refusal(&error).contains(words), "{error:?}");
            }
            (opened, _) => panic!("{sql}: {opened:?}"),
        }
    }
}

#[tokio::test]
async fn an_index_without_a_row_is_found_in_the_database_and_in_its_copy() {
    let (_directory, data_dir) = with_an_odd_index().await;
    let health = open(&data_dir).check(Timestamp::UNIX_EPOCH).await.unwrap();
    let missing = "row 1 missing from index pipelines_of_project";
    assert!(health.file.iter().any(|it| it == missing), "{health:#?}");
    let copy = data_dir.join("copy");
    snapshot(&data_dir, &copy).expect("copied as it is");
    let words = refusal(&examine(&copy).expect_err("the copy has the same index"));
    assert!(words.contains(&format!("{copy} is damaged: ")), "{words}");
    assert!(words.contains("index pipelines_of_project"), "{words}");
}

#[tokio::test]
async fn whoever_works_is_told_of_damage_that_no_other_try_gets_over() {
    let (_directory, data_dir) = with_an_odd_index().await;
    let store = open(&data_dir);
    let pipelines = store.list_pipelines(&ports::PipelineFilter::default()).await.unwrap();
    let refused = store.apply(&step_to(&pipelines[0], running())).await;
    let error = refused.expect_err("the index cannot follow");
    let words = "gatewright.db is damaged: an index in it does not agree with its table";
    for error in [error, store.until_unusable().await] {
        let said = match Unusable::find_in(&error) {
            Some(Unusable::Damaged { said, .. }) => said.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(said, "code 779 of SQLite");
        assert!(refusal(&error).contains(words), "{}", refusal(&error));
    }
}

/// A copy of it would hold nothing where the rest of the page was, and look whole.
#[tokio::test]
async fn a_database_without_a_part_of_its_last_page_is_not_copied() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = Utf8Path::from_path(directory.path()).unwrap();
    let store = open(data_dir);
    pipeline(&store, 1, "ET").await;
    drop(store);
    let database = data_dir.join("gatewright.db");
    let whole = fs::read(&database).unwrap();
    for missing in [1, 511, 4095] {
        fs::write(&database, &whole[..whole.len() - missing]).unwrap();
        let copy = data_dir.join(format!("copy-{missing}"));
        let refused = snapshot(data_dir, &copy).expect_err("a part is missing");
        let NoCopy::Database(refused) = refused else { panic!("{refused:?}") };
        assert!(matches!(Unusable::find_in(&refused), Some(Unusable::Cut { .. })), "{refused:?}");
        assert!(!copy.exists(), "nothing was begun");
    }
}
