//! Telling work to stop, and why.

use domain::{id::PipelineId, pipeline::Pipeline};
use tokio::sync::watch;

use crate::Engine;

/// What happens to work under way when the engine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Agents are stopped, what they left is kept, their jobs go back to the queue.
    StopAgents,
    /// Agents go on under their shims, for the next engine to take up.
    LeaveAgents,
}

/// The receiving end: the engine's.
pub type StopSignal = watch::Receiver<Option<StopMode>>;

/// A channel that stops an engine.
#[must_use]
pub fn stop_channel() -> (watch::Sender<Option<StopMode>>, StopSignal) {
    watch::channel(None)
}

/// Why a job's work is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The engine stops.
    Stopping(StopMode),
    /// Nobody wants the job any more: its pipeline has moved on.
    Cancelled,
    /// Somebody else has the job by now, or will: whatever is under way is theirs to take up.
    Lost,
}

/// A job of this process.
pub(crate) struct Running {
    pub(crate) token: u64,
    pub(crate) pipeline: PipelineId,
    pub(crate) epoch: u32,
    pub(crate) is_cleanup: bool,
    pub(crate) interrupt: watch::Sender<Option<Interrupt>>,
}

impl Engine {
    /// Stops the work of this process that the pipeline has left behind.
    pub(crate) fn stop_cancelled(&self, pipeline: &Pipeline) {
        let running = self.running.lock().expect("no holder panics");
        for job in running.values() {
            if job.pipeline == pipeline.id && job.epoch < pipeline.epoch && !job.is_cleanup {
                job.interrupt.send_replace(Some(Interrupt::Cancelled));
            }
        }
    }

    /// Waits until no work of this process that the pipeline has left behind is under way any more.
    pub(crate) async fn wait_for_cancelled(&self, pipeline: PipelineId, epoch: u32) {
        let left_behind =
            |job: &&Running| job.pipeline == pipeline && job.epoch < epoch && !job.is_cleanup;
        let interrupts: Vec<_> = {
            let running = self.running.lock().expect("no holder panics");
            running.values().filter(left_behind).map(|job| job.interrupt.clone()).collect()
        };
        for interrupt in interrupts {
            // The work holds the receiver for as long as it lasts.
            interrupt.closed().await;
        }
    }

    /// Somebody wants this engine to end, and waits for nothing that it does on the side of what people ask: once this
    /// returns, that can be dropped, and is not counted against what agents left. [`Engine::run`] counts again.
    pub async fn stop_counting(&self) {
        self.stopping.send_replace(true);
        // Whoever comes later waits behind this, and finds that it counts no more.
        drop(self.counting.write().await);
    }

    /// Waits until somebody wants this engine to end.
    pub(crate) async fn told_to_stop(&self) {
        // The engine has the sender.
        drop(self.stopping.subscribe().wait_for(|is_stopping| *is_stopping).await);
    }

    /// Cuts short whatever is under way.
    pub(crate) fn interrupt_all(&self, interrupt: Interrupt) {
        for job in self.running.lock().expect("no holder panics").values() {
            job.interrupt.send_replace(Some(interrupt));
        }
    }
}

/// Waits until the work is to be cut short.
pub(crate) async fn interrupted(signal: &mut watch::Receiver<Option<Interrupt>>) -> Interrupt {
    match signal.wait_for(Option::is_some).await {
        Ok(reason) => reason.expect("it was waited for"),
        // The loop is gone: nobody would take the result.
        Err(_) => Interrupt::Lost,
    }
}
