//! Removes what a pipeline that has ended no longer needs. Logs, evidence and commits stay.

use domain::{
    failure::{Failure, FailureClass},
    job::{Job, JobKind},
    pipeline::Report,
};
use ports::JobFilter;
use tokio::sync::watch;

use super::{JobError, Performed, gate_error};
use crate::{
    Engine, EngineError, chain,
    worker::{Interrupt, interrupted},
};

impl Engine {
    /// Cleans up, until it is told to stop: a large directory takes its time, nobody waits for it, and the next process
    /// begins again where this one was. That end is no loss.
    pub(super) async fn clean_up(
        &self,
        job: &Job,
        mut signal: watch::Receiver<Option<Interrupt>>,
    ) -> Result<Performed, JobError> {
        tokio::select! {
            biased;
            cleaned_up = self.remove_what_is_left(job) => cleaned_up,
            interrupt = interrupted(&mut signal) => Ok(Performed::interrupted(interrupt)),
        }
    }

    async fn remove_what_is_left(&self, job: &Job) -> Result<Performed, JobError> {
        // Agents that are being stopped still have their workspaces, and what they left there is not kept yet.
        self.wait_for_cancelled(job.pipeline, job.slot.epoch).await;
        let stopped = self.stop_all_orphans(job.pipeline).await;
        let runs = self.ports.store.list_runs(job.pipeline).await?;
        if let Some(run) = runs.iter().find(|run| run.ended_at.is_none()) {
            // Whatever stands in the way may pass: a store that is unwell, say.
            let message = match stopped {
                Err(error @ EngineError::NoRoomToKeep { .. }) => {
                    Failure::full_disk(&chain(&error)).message
                }
                Err(error) => format!(
                    "what {} left is not kept yet, its workspace stays: {}",
                    run.id,
                    chain(&error)
                ),
                Ok(()) => format!("what {} left is not kept yet: its workspace stays", run.id),
            };
            return Err(JobError::Other { class: FailureClass::Transient, message });
        }
        stopped?;
        let filter = JobFilter { pipeline: Some(job.pipeline), states: Vec::new() };
        for gate in self.ports.store.list_jobs(&filter).await? {
            if gate.slot.work.kind() == JobKind::Gate {
                self.ports
                    .gates
                    .abandon(&self.layout.gate(gate.id))
                    .await
                    .map_err(|error| gate_error(&error))?;
            }
        }
        self.ports.git.remove_workspace(&self.layout.workspaces(job.pipeline)).await?;
        Ok(Performed::report(Report::CleanedUp))
    }
}
