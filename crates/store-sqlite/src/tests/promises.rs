//! What the store promises about time and about the disk, by the failure reports of others.

use std::{fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    id::JobId,
    job::{Job, JobState},
};
use ports::{Store as _, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;
use testkit::store_conformance::fixtures::{
    at, claim, completed, done, gate_job, pipeline, queue, step,
};

use crate::{
    Mode, Options, SqliteStore, connection,
    error::Doing as _,
    migrations::{MIGRATIONS, migrate_to},
};

fn directory() -> (TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
    (directory, path)
}

fn open(data_dir: &Utf8Path, mode: Mode) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(Options { data_dir: data_dir.to_owned(), mode, queue_max: 100 })
}

fn for_writing(data_dir: &Utf8Path) -> Result<SqliteStore, StoreError> {
    open(data_dir, Mode::ReadWrite { holder: "a test".to_owned() })
}

/// F2: a worker that was long away reports about a job that is not there any more. It hears that its lease is lost.
#[tokio::test]
async fn f2_a_report_about_a_job_that_was_purged_is_answered_calmly() {
    let store = SqliteStore::in_memory().unwrap();
    let made = pipeline(&store, 1, "ET").await;
    let moved = queue(&store, &made, vec![gate_job(&made, 1)]).await;
    let job: Job = store.claim(&claim(at(0))).await.unwrap().remove(0);
    assert!(matches!(job.state, JobState::Running { .. }));
    let purge = |connection: &Connection| {
        connection.execute("DELETE FROM jobs", []).doing("purge").map(drop)
    };
    store.write(purge).await.unwrap();
    assert_eq!(store.heartbeat(&[(job.id, job.claims)], at(60)).await.unwrap(), [job.id]);
    assert!(!store.settle_job(&completed(&job)).await.unwrap());
    let report = ports::Step { job: Some(completed(&job)), ..step(&moved) };
    assert_eq!(store.apply(&report).await.unwrap(), ports::Applied::Fenced);
    assert_eq!(store.find_open_run(JobId::from_u128(7)).await.unwrap(), None);
}

/// F18: an SQLite whose write-ahead log can corrupt the database under load is not worked with. F19: an answer comes
/// after the disk has it.
#[test]
fn f18_f19_the_database_is_opened_by_a_sound_sqlite_that_waits_for_the_disk() {
    assert!(rusqlite::version_number() >= 3_051_003);
    let (_directory, data_dir) = directory();
    drop(for_writing(&data_dir).unwrap());
    let writer = connection::for_writing(&data_dir.join("gatewright.db")).unwrap();
    let setting = |name: &str| -> String {
        let read = writer.query_row(&format!("PRAGMA {name}"), [], |row| {
            Ok(row.get::<_, rusqlite::types::Value>(0))
        });
        format!("{:?}", read.unwrap().unwrap())
    };
    // 2 is FULL.
    assert_eq!(setting("synchronous"), "Integer(2)");
    assert_eq!(setting("journal_mode"), "Text(\"wal\")");
    assert_eq!(setting("foreign_keys"), "Integer(1)");
}

/// A database as each version left it, in a file.
fn of_version(version: u32, sample: &str) -> (TempDir, Utf8PathBuf) {
    let (directory, data_dir) = directory();
    let file = data_dir.join("gatewright.db");
    fs::write(&file, "").expect("a file");
    let mut database = connection::for_writing(&file).expect("a database");
    migrate_to(&mut database, version, "a file").expect("a known version");
    database.execute_batch(sample).expect("the sample fits");
    drop(database);
    (directory, data_dir)
}

/// A process that dies between two migrations, or in the middle of one, leaves a database that the next start brings on.
#[tokio::test]
async fn a_start_that_was_killed_while_it_migrated_is_taken_up_by_the_next() {
    for (version, sample) in (1..).zip(super::migrations::SAMPLES) {
        for reached in version..u32::try_from(MIGRATIONS.len()).unwrap() {
            let (_directory, data_dir) = of_version(version, sample);
            let file = data_dir.join("gatewright.db");
            let mut database = connection::for_writing(&file).unwrap();
            migrate_to(&mut database, reached, "a file").unwrap();
            // In the middle of the next one: it is begun, and its end never comes.
            let next = &MIGRATIONS[reached as usize];
            database.execute_batch("BEGIN IMMEDIATE").unwrap();
            database.execute_batch(next.sql).unwrap();
            let (_copy, killed) = directory();
            for name in ["gatewright.db", "gatewright.db-wal"] {
                fs::copy(data_dir.join(name), killed.join(name)).unwrap();
            }
            let store = for_writing(&killed).unwrap();
            let pipelines = store.list_pipelines(&ports::PipelineFilter::default()).await.unwrap();
            assert_eq!(pipelines.len(), 1, "schema {version}, killed after {reached}");
            assert_eq!(store.find_damage(None, at(0)).await.unwrap(), []);
        }
    }
}

/// Whoever only looks does not migrate, and says what does.
#[test]
fn a_reader_of_an_older_database_says_what_to_do() {
    let (_directory, data_dir) = of_version(1, super::migrations::SAMPLES[0]);
    let refused = open(&data_dir, Mode::ReadOnly).expect_err("it is too old");
    let source = std::error::Error::source(&refused).expect("it has a reason").to_string();
    assert!(
        source.contains("its schema is 1") && source.contains("the next start of the orchestrator"),
        "{source}"
    );
    drop(for_writing(&data_dir).unwrap());
    open(&data_dir, Mode::ReadOnly).expect("it is up to date now");
}

/// A backup is made by whoever upgrades, so before anything is migrated: an older database is copied as it is.
#[test]
fn an_older_database_can_be_copied_and_brought_up_to_date() {
    for (version, sample) in (1..).zip(super::migrations::SAMPLES) {
        let (_directory, data_dir) = of_version(version, sample);
        let file = data_dir.join("copy");
        crate::snapshot(&data_dir, &file).unwrap();
        let contents = crate::examine(&file).unwrap();
        assert_eq!((contents.schema, contents.pipelines), (version, 1));
        crate::bring_up_to_date(&file).unwrap();
        let known = u32::try_from(MIGRATIONS.len()).unwrap();
        assert_eq!(crate::examine(&file).unwrap().schema, known);
    }
}

/// Each invariant that SQL can see is seen where it is broken, and not where it holds.
#[tokio::test]
async fn a_look_at_everything_names_what_is_wrong_and_only_that() {
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    let made = pipeline(&*store, 1, "ET").await;
    let moved = queue(&*store, &made, vec![gate_job(&made, 1)]).await;
    done(&*store, step(&moved)).await;
    assert_eq!(store.check(at(0)).await.unwrap(), crate::Health::default());
    for (statement, words) in [
        ("UPDATE jobs SET failures = 9", "I6"),
        (
            "UPDATE jobs SET state = 'done', available_at = NULL; UPDATE pipelines SET status = 'running', stage = 'a'",
            "I4",
        ),
        (
            "UPDATE pipelines SET status = 'failed', stage = NULL; UPDATE jobs SET state = 'queued', available_at = 0",
            "I5",
        ),
        ("UPDATE jobs SET lease_token = 7", "I7"),
        (
            "INSERT INTO events VALUES (99, (SELECT id FROM pipelines), 99, 1, 0, 'started', '')",
            "I2",
        ),
    ] {
        let damage = format!("PRAGMA ignore_check_constraints = ON; {statement}");
        let damaged =
            move |connection: &Connection| connection.execute_batch(&damage).doing("damage");
        store.read(damaged).await.unwrap();
        let health = store.check(at(0)).await.unwrap();
        assert!(health.broken.iter().any(|it| it.starts_with(words)), "{statement}: {health:?}");
    }
    assert!(!store.check(at(0)).await.unwrap().damage.is_empty());
}
