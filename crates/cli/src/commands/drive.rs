//! How a command works that takes its time: it listens, has an engine work, and lets go of what takes too long.
//!
//! One listener for all that a command does, from before the first piece of work until its end: a signal between two of
//! them is heard like any other.

mod signals;

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::{Engine, EngineError, StopSignal, stop_channel};
use signals::{Listener, Signals};
use store_sqlite::SqliteStore;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{context::Context, error::CliError, exit::ExitStatus, system::SystemClock};

/// How long a command that ends waits for what should take no time: that words are said, which nobody may read, and that
/// a count is written, which the disk may not take.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What a signal meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtWork {
    /// What is dropped where it stands, and done again from its beginning.
    Nothing,
    /// Agents, that are stopped or left behind.
    Agents,
    /// Letters and clean-ups: they have a moment.
    Chores,
}

/// A command at work, and who wants it to end.
pub(crate) struct Drive {
    stop: StopSignal,
    /// Whether it was said that somebody wants an end.
    told: watch::Receiver<bool>,
    overdue: Arc<Notify>,
    /// Held to begin something, and to decide what a signal means: none meets what it does not know of.
    at_work: Arc<Mutex<AtWork>>,
    listener: JoinHandle<()>,
}

impl Drive {
    /// Listens from now on. Whoever cannot begins nothing: some signals could be lost, others end the process where it
    /// stands.
    pub(crate) fn begin(context: &Context) -> Result<Self, CliError> {
        let signals = Signals::install().map_err(|error| {
            CliError::new(format!("could not listen for Ctrl-C, SIGTERM and SIGHUP: {error}"))
                .status(ExitStatus::Internal)
        })?;
        let (sender, stop) = stop_channel();
        let (telling, told) = watch::channel(false);
        let (at_work, overdue) = (Arc::new(Mutex::new(AtWork::Nothing)), Arc::new(Notify::new()));
        let listener = Listener {
            stop: sender,
            told: telling,
            at_work: Arc::clone(&at_work),
            overdue: Arc::clone(&overdue),
            quiet: context.global.quiet,
        };
        let listener = tokio::spawn(async move {
            listener.listen(signals).await;
            // It has to live on: the end of its sender would stop the engine.
            std::future::pending::<()>().await;
        });
        Ok(Self { stop, told, overdue, at_work, listener })
    }

    /// Whether somebody wants the command to end. Nothing new is begun then.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// How the command ends where its work says `status`: whoever was told that it stops finds that in the exit code,
    /// whatever was done by then.
    pub(crate) fn ended_with(&self, status: ExitStatus) -> ExitStatus {
        if self.is_stopped() { ExitStatus::Interrupted } else { status }
    }

    /// Does what can be dropped where it stands, as a crash would leave it. `None` where a signal came first.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped() => None,
            done = work => Some(done),
        }
    }

    /// The same for what an engine does on the side of what people ask, such as to stop agents that were left behind: that
    /// nobody waits for it is not counted against what they left.
    pub(crate) async fn unless_stopped_beside<T>(
        &self,
        engine: &Engine,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            () = self.stopped() => {}
            done = &mut work => return Some(done),
        }
        tokio::select! {
            biased;
            done = work => Some(done),
            () = engine.stop_counting() => None,
            () = a_moment() => None,
        }
    }

    /// Waits until somebody wants the command to end, and was told that it does.
    async fn stopped(&self) {
        let (mut stop, mut told) = (self.stop.clone(), self.told.clone());
        // The listener has both senders.
        drop(stop.wait_for(Option::is_some).await);
        tokio::select! {
            _told = told.wait_for(|is_told| *is_told) => {}
            () = a_moment() => {}
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
        {
            let mut met = self.at_work.lock().expect("no holder panics");
            if self.is_stopped() {
                return Ok(());
            }
            *met = at_work;
        }
        let worked = tokio::select! {
            biased;
            worked = work(self.stop.clone()) => worked,
            // What is under way is dropped where it stands, as a crash would leave it.
            () = self.overdue.notified() => Ok(()),
            // The engine would try again and again.
            error = store.until_unusable() => Err(error.into()),
        };
        *self.at_work.lock().expect("no holder panics") = AtWork::Nothing;
        if self.is_stopped() {
            self.stopped().await;
        }
        Ok(worked?)
    }
}

async fn a_moment() {
    SystemClock::default().pause(A_MOMENT).await;
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
