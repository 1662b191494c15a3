//! A few connections that only read, opened when they are needed.

use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8PathBuf;
use rusqlite::Connection;
use tokio::{sync::Semaphore, task};

use crate::{connection, error::Error};

/// Reads that run at once.
const READERS_MAX: usize = 4;

/// The connections.
#[derive(Debug)]
pub(crate) struct Readers {
    database: Utf8PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
    queue_max: usize,
}

impl Readers {
    pub(crate) fn new(database: Utf8PathBuf, queue_max: usize) -> Self {
        let turns = Arc::new(Semaphore::new(READERS_MAX));
        let waiting = Semaphore::new(queue_max);
        Self { database, idle: Arc::default(), turns, waiting, queue_max }
    }

    /// Reads on a thread that may block. The read begins now, so it sees everything that was answered before.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(place) = self.waiting.try_acquire() else {
            return Err(Error::Overloaded { waiting: self.queue_max });
        };
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("it is never closed");
        let (database, idle) = (self.database.clone(), Arc::clone(&self.idle));
        let task = task::spawn_blocking(move || {
            // Nothing panics while it holds the list.
            let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = known.map_or_else(|| connection::for_reading(&database), Ok)?;
            connection::limit_time(&mut connection)?;
            let result = read(&connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(turn);
            result
        });
        let result = task.await.map_err(|error| Error::refused("read on another thread", error))?;
        drop(place);
        result
    }

    /// The same for whoever looks at the whole of the database: nobody's turn, and no limit of time.
    pub(crate) async fn call_at_leisure<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let database = self.database.clone();
        let task = task::spawn_blocking(move || read(&connection::for_copying(&database)?));
        task.await.map_err(|error| Error::refused("read on another thread", error))?
    }
}
