//! A process that is killed while it writes loses nothing that it was told.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdout},
    process::{Command, Stdio},
};

use camino::Utf8PathBuf;
use ports::{Store as _, StoreError};
use store_sqlite::{Mode, Options, SqliteStore};
use testkit::store_conformance::fixtures::{done, new_pipeline, pipeline, step};

/// Where the other process writes; set by the test that starts it.
const DATA_DIR: &str = "STORE_SQLITE_KILLED_DATA_DIR";

fn open(data_dir: &str, holder: &str) -> Result<SqliteStore, StoreError> {
    let mode = Mode::ReadWrite { holder: holder.to_owned() };
    SqliteStore::open(Options { data_dir: Utf8PathBuf::from(data_dir), mode, queue_max: 10 })
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().to_str().unwrap();
    let mut other = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(DATA_DIR, data_dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut versions = BufReader::new(other.stdout.take().unwrap())
        .lines()
        .filter_map(|line| line.unwrap().strip_prefix("answered ")?.parse::<u64>().ok());
    assert!(versions.by_ref().take(20).count() == 20, "it writes");
    match open(data_dir, "us") {
        Err(StoreError::InUse { holder, .. }) => assert_eq!(holder, "the other process"),
        other => panic!("{other:?}"),
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let last = versions.last().unwrap_or(20);

    let store = open(data_dir, "us").expect("the lock died with its process");
    let found = store.find_pipeline(new_pipeline(1, "ET").id).await.unwrap().unwrap();
    assert!(found.version >= last, "{} is older than {last}", found.version);
    assert!(found.version <= last + 1, "nothing was written that was not asked for");
    done(&store, step(&found)).await;
}

/// Writes for ever where the test above starts it, and has nothing to do anywhere else.
#[tokio::test]
async fn the_process_that_is_killed() {
    let Ok(data_dir) = env::var(DATA_DIR) else { return };
    let store = open(&data_dir, "the other process").unwrap();
    let mut written = pipeline(&store, 1, "ET").await;
    loop {
        written = done(&store, step(&written)).await;
        writeln!(stdout(), "answered {}", written.version).unwrap();
    }
}
