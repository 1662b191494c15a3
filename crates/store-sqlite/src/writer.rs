//! The thread that writes: takes what came while the last commit was under way, and commits it together.

use std::{
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    batch::{self, Call, Work},
    data_dir::DirectoryLock,
    error::Error,
};

/// Calls that are committed together. More would make the first of them wait for the last.
const BATCH_MAX: usize = 512;

#[derive(Debug, thiserror::Error)]
#[error("the thread that writes to the database is gone")]
struct WriterGone;

/// The thread, and the way to it. Dropped, it finishes what was asked for and closes the database.
#[derive(Debug)]
pub(crate) struct Writer {
    calls: Option<SyncSender<Box<dyn Call>>>,
    thread: Option<JoinHandle<()>>,
    queue_max: usize,
}

impl Writer {
    /// Starts the thread. It keeps `lock` until the database is closed.
    pub(crate) fn start(
        connection: Connection,
        lock: DirectoryLock,
        queue_max: usize,
    ) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(queue_max);
        let work = move || {
            serve(&connection, &receiver);
            drop(connection);
            drop(lock);
        };
        let thread = thread::Builder::new().name("store-writer".to_owned()).spawn(work);
        let thread =
            thread.map_err(|error| Error::refused("start the thread that writes", error))?;
        Ok(Self { calls: Some(sender), thread: Some(thread), queue_max })
    }

    /// Has `work` done, and answers once that is durable. A caller that stops waiting changes nothing.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let gone = || Error::refused("reach the writer", WriterGone);
        let (reply, answer) = oneshot::channel();
        let calls = self.calls.as_ref().ok_or_else(gone)?;
        match calls.try_send(Box::new(Work::new(work, reply))) {
            Ok(()) => answer.await.map_err(|_| gone())?,
            Err(TrySendError::Full(_)) => Err(Error::Overloaded { waiting: self.queue_max }),
            Err(TrySendError::Disconnected(_)) => Err(gone()),
        }
    }
}

fn serve(connection: &Connection, calls: &Receiver<Box<dyn Call>>) {
    while let Ok(first) = calls.recv() {
        let mut batch = vec![first];
        batch.extend(calls.try_iter().take(BATCH_MAX - 1));
        batch::run(connection, batch);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes to the database panicked");
        }
    }
}
