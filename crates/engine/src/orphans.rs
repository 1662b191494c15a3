//! Stops agents whose job nobody has any more.

use std::collections::BTreeSet;

use domain::{
    failure::{Failure, FailureClass},
    id::{JobId, PipelineId},
    job::JobStateTag,
    run::RunOutcome,
};
use ports::{JobFilter, SandboxStatus};

use crate::{Engine, EngineError};

impl Engine {
    /// Stops every agent of a pipeline that is still at work for a job that has ended, and closes its run. An agent of
    /// this process is stopped by the task that follows it; this is for those that another process left.
    pub(crate) async fn stop_orphans(&self, pipeline: PipelineId) -> Result<(), EngineError> {
        let live = JobFilter { pipeline: Some(pipeline), states: vec![JobStateTag::Queued, JobStateTag::Running] };
        let live: BTreeSet<JobId> = self.ports.store.list_jobs(&live).await?.into_iter().map(|job| job.id).collect();
        let ours: BTreeSet<JobId> = self.running.lock().expect("no holder panics").keys().copied().collect();
        let runs = self.ports.store.list_runs(pipeline).await?;
        let orphans = runs.into_iter().filter(|run| run.ended_at.is_none() && !live.contains(&run.job) && !ours.contains(&run.job));
        for mut run in orphans {
            let dir = self.layout.agent_sandbox(run.id);
            if self.ports.sandbox.status(&dir).await? == SandboxStatus::Running {
                self.ports.sandbox.stop(&dir).await?;
                self.ports.sandbox.wait(&dir).await?;
            }
            let failure = Failure::new(FailureClass::Lost, "it was stopped: the pipeline moved on without it");
            run.ended_at = Some(self.ports.clock.now());
            run.outcome = Some(RunOutcome::Failed { failure });
            self.ports.store.save_run(&run).await?;
        }
        Ok(())
    }
}
