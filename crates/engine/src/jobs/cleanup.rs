//! Removes what a pipeline that has ended no longer needs. Logs, evidence and commits stay.

use domain::{job::Job, pipeline::Report};

use super::{JobError, Performed};
use crate::Engine;

impl Engine {
    pub(super) async fn clean_up(&self, job: &Job) -> Result<Performed, JobError> {
        self.ports.git.remove_workspace(&self.layout.workspaces(job.pipeline)).await?;
        Ok(Performed::report(Report::CleanedUp))
    }
}
