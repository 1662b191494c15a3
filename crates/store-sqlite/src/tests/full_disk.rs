//! A disk that is full, and one that is empty again. SQLite's own page limit plays the disk.

use camino::Utf8PathBuf;
use domain::pipeline::{EventKind, Pipeline};
use ports::{Step, Store as _, StoreError};
use tempfile::TempDir;
use testkit::store_conformance::fixtures::{done, pipeline, step};

use crate::{Mode, Options, SqliteStore, error::Doing as _};

fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = Utf8PathBuf::try_from(directory.path().to_owned()).expect("a path in UTF-8");
    let mode = Mode::ReadWrite { holder: "a test".to_owned() };
    let store = SqliteStore::open(Options { data_dir, mode, queue_max: 10 }).unwrap();
    (directory, store)
}

/// Lets the database grow to so many pages; SQLite takes fewer than there are as what there is.
async fn limit(store: &SqliteStore, pages: i64) {
    let set = move |connection: &rusqlite::Connection| {
        connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
            .doing("set a limit")
    };
    store.write(set).await.unwrap();
}

fn large_step(pipeline: &Pipeline) -> Step {
    let reason = "x".repeat(1_000_000);
    Step { events: vec![EventKind::Started, EventKind::Cancelled { reason }], ..step(pipeline) }
}

#[tokio::test]
async fn a_step_that_does_not_fit_writes_nothing_and_can_be_made_when_there_is_space_again() {
    let (_directory, store) = store();
    let made = pipeline(&store, 1, "ET").await;
    limit(&store, 1).await;
    let step = large_step(&made);
    let refused = store.apply(&step).await;
    assert!(matches!(refused, Err(StoreError::DiskFull { .. })), "{refused:?}");
    assert_eq!(store.find_pipeline(made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.list_events(None, 0, 10).await.unwrap(), []);
    limit(&store, i64::from(u32::MAX - 1)).await;
    let moved = done(&store, step).await;
    assert_eq!(store.find_pipeline(made.id).await.unwrap(), Some(moved));
    let numbers: Vec<_> = store
        .list_events(None, 0, 10)
        .await
        .unwrap()
        .iter()
        .map(|event| (event.seq, event.number))
        .collect();
    assert_eq!(numbers, [(1, 1), (2, 2)]);
}

#[tokio::test]
async fn what_fits_is_written_although_the_disk_is_full_for_others() {
    let (_directory, store) = store();
    let made = pipeline(&store, 1, "ET").await;
    limit(&store, 1).await;
    let (large, small) = (large_step(&made), Step { input: "small".to_owned(), ..step(&made) });
    let (refused, written) = tokio::join!(store.apply(&large), store.apply(&small));
    assert!(matches!(refused, Err(StoreError::DiskFull { .. })), "{refused:?}");
    assert!(matches!(written, Ok(ports::Applied::Done { .. })), "{written:?}");
}
