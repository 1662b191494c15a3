//! Stops agents whose job nobody has any more.

use std::collections::BTreeSet;

use domain::{
    failure::{Failure, FailureClass},
    id::{JobId, PipelineId},
    job::{Job, JobState},
    name::RoleName,
    run::{Run, RunOutcome},
};
use ports::{JobFilter, SandboxStatus};

use crate::{Engine, EngineError, worker::chain};

impl Engine {
    /// Stops every agent of a pipeline that is still at work for a job that has ended, keeps what it left, and closes
    /// its run. An agent of this process is stopped by the task that follows it; this is for those that another
    /// process left. `held` is the role whose workspace the caller has; one that somebody else has is left to them.
    pub(crate) async fn stop_orphans(
        &self,
        pipeline: PipelineId,
        held: Option<&RoleName>,
    ) -> Result<(), EngineError> {
        let mut runs = self.ports.store.list_runs(pipeline).await?;
        runs.retain(|run| run.ended_at.is_none());
        if runs.is_empty() {
            return Ok(());
        }
        let filter = JobFilter { pipeline: Some(pipeline), states: Vec::new() };
        let jobs = self.ports.store.list_jobs(&filter).await?;
        let ours: BTreeSet<JobId> =
            self.running.lock().expect("no holder panics").keys().copied().collect();
        for run in runs {
            let job = jobs.iter().find(|job| job.id == run.job);
            let Some(job) = job.filter(|job| has_ended(job) && !ours.contains(&job.id)) else {
                continue;
            };
            let turn = self.workspaces.try_take(pipeline, &run.role);
            if turn.is_some() || held == Some(&run.role) {
                self.stop_orphan(job, run).await?;
            }
        }
        Ok(())
    }

    async fn stop_orphan(&self, job: &Job, mut run: Run) -> Result<(), EngineError> {
        let dir = self.layout.agent_sandbox(run.id);
        let status = self.ports.sandbox.status(&dir).await?;
        if status == SandboxStatus::Running {
            self.ports.sandbox.stop(&dir).await?;
            self.ports.sandbox.wait(&dir).await?;
        }
        if status == SandboxStatus::Absent {
            // Its order may have been written, with keys in it.
            self.ports.sandbox.remove(&dir).await?;
        } else if let Err(error) = self.salvage(job, &run).await {
            // The run stays open, and its workspace where it is: somebody who knows the agent tries again.
            tracing::warn!(run.id = %run.id, "could not salvage what the run left: {}", chain(&error));
            return Ok(());
        }
        let failure =
            Failure::new(FailureClass::Lost, "it was stopped: the pipeline moved on without it");
        run.ended_at = Some(self.ports.clock.now());
        run.outcome = Some(RunOutcome::Failed { failure });
        self.ports.store.save_run(&run).await?;
        Ok(())
    }
}

fn has_ended(job: &Job) -> bool {
    match job.state {
        JobState::Queued { .. } | JobState::Running { .. } => false,
        JobState::Done | JobState::Failed | JobState::Cancelled => true,
    }
}
