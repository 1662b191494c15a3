//! Removes what a pipeline that has ended no longer needs. Logs, evidence and commits stay.

use domain::{job::Job, pipeline::Report};

use super::{JobError, Performed};
use crate::Engine;

impl Engine {
    pub(super) async fn clean_up(&self, job: &Job) -> Result<Performed, JobError> {
        // Agents that are being stopped still have their workspaces, and what they left there is not kept yet.
        self.wait_for_cancelled(job.pipeline, job.slot.epoch).await;
        self.stop_orphans(job.pipeline, None).await?;
        self.ports.git.remove_workspace(&self.layout.workspaces(job.pipeline)).await?;
        Ok(Performed::report(Report::CleanedUp))
    }
}
