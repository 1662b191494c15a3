//! More calls than may wait.

use std::{future::Future, pin::pin, sync::mpsc, task::Poll};

use camino::Utf8PathBuf;
use ports::{Store as _, StoreError};
use testkit::store_conformance::fixtures::{prepare, project};

use crate::{Mode, Options, SqliteStore};

/// Polls once: the call is on its way afterwards, or has its answer.
async fn ask<F: Future>(call: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    let mut call = call;
    std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await
}

#[tokio::test]
async fn more_calls_than_may_wait_are_refused_at_once_and_the_others_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    let mode = Mode::ReadWrite { holder: "a test".to_owned() };
    let store = SqliteStore::open(Options { data_dir, mode, queue_max: 2 }).unwrap();
    prepare(&store, "ET").await;

    let (begun, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let mut slow = pin!(store.write(move |_| {
        begun.send(()).expect("the test waits");
        goes_on.recv().expect("the test says when");
        Ok(())
    }));
    assert!(ask(slow.as_mut()).await.is_pending());
    begins.recv().unwrap();

    let mut second = pin!(store.write(|_| Ok(2)));
    let mut third = pin!(store.write(|_| Ok(3)));
    assert!(ask(second.as_mut()).await.is_pending());
    assert!(ask(third.as_mut()).await.is_pending());
    let refused = store.write(|_| Ok(4)).await;
    assert!(matches!(refused, Err(StoreError::Overloaded { waiting: 2 })), "{refused:?}");
    let read = store.find_project(&project("ET")).await.unwrap();
    assert!(read.is_some(), "readers do not wait for the writer");

    go_on.send(()).unwrap();
    slow.await.unwrap();
    assert_eq!((second.await.unwrap(), third.await.unwrap()), (2, 3));
    assert_eq!(store.write(|_| Ok(5)).await.unwrap(), 5);
}
