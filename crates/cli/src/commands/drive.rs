//! How a command works that takes its time: it listens, has an engine work, and lets go of what takes too long.
//!
//! One listener for all that a command does, from before the first piece of work until its end: a signal between two of
//! them is heard like any other.

mod signals;

use std::sync::Arc;

use engine::{EngineError, StopSignal, stop_channel};
use signals::Signals;
use store_sqlite::SqliteStore;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{context::Context, error::CliError};

/// What a signal meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtWork {
    /// What is done again from its beginning.
    Nothing,
    /// Agents, that are stopped or left behind.
    Agents,
    /// Letters and clean-ups: they have a moment.
    Chores,
}

/// A command at work, and who wants it to end.
pub(crate) struct Drive {
    stop: StopSignal,
    overdue: Arc<Notify>,
    at_work: watch::Sender<AtWork>,
    listener: JoinHandle<()>,
}

impl Drive {
    /// Listens from now on.
    pub(crate) fn begin(context: &Context) -> Self {
        let (sender, stop) = stop_channel();
        let (at_work, met) = watch::channel(AtWork::Nothing);
        let overdue = Arc::new(Notify::new());
        let (signals, quiet) = (Signals::install(), context.global.quiet);
        let told = Arc::clone(&overdue);
        let listener = tokio::spawn(async move {
            match signals {
                Ok(signals) => signals::listen(signals, &sender, &met, &told, quiet).await,
                Err(error) => tracing::warn!("signals end this process at once: {error}"),
            }
            // The sender has to live on: its end would stop the engine.
            std::future::pending::<()>().await;
        });
        Self { stop, overdue, at_work, listener }
    }

    /// Whether somebody wants the command to end. Nothing new is begun then.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Does what can be dropped where it stands, as a crash would leave it. `None` where a signal came first.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            _stopped = stop.wait_for(Option::is_some) => None,
            done = work => Some(done),
        }
    }

    /// Has an engine work until it has come to rest or was stopped. Ends at once where no other try gets over what is
    /// wrong with the store.
    pub(crate) async fn work(
        &self,
        at_work: AtWork,
        store: &SqliteStore,
        work: impl AsyncFnOnce(StopSignal) -> Result<(), EngineError>,
    ) -> Result<(), CliError> {
        if self.is_stopped() {
            return Ok(());
        }
        self.at_work.send_replace(at_work);
        let worked = tokio::select! {
            biased;
            worked = work(self.stop.clone()) => worked,
            // What is under way is dropped where it stands, as a crash would leave it.
            () = self.overdue.notified() => Ok(()),
            // The engine would try again and again.
            error = store.until_unusable() => Err(error.into()),
        };
        self.at_work.send_replace(AtWork::Nothing);
        Ok(worked?)
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
