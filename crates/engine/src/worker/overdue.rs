//! Notices work that could be done and is not: the loop looks alive, and something in it is not.

use domain::{
    explain::{Slots, find_overdue, is_overdue},
    job::{Job, JobState, JobStateTag},
};
use jiff::Timestamp;
use ports::JobFilter;

use crate::{Engine, EngineError};

impl Engine {
    /// Says once of a job that it has been due for long although nothing keeps it. `due` is when the oldest is.
    pub(crate) async fn watch_overdue(&self, due: Option<Timestamp>) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        // What this machine cannot do for now is said already, and keeps its jobs.
        let Some(due) = due.filter(|due| is_overdue(*due, now) && !self.holds_back()) else {
            return Ok(());
        };
        let caps = &self.options.caps;
        let slots = Slots {
            total: caps.total,
            per_project: caps.per_project,
            // The smallest one: rather too late than a false alarm.
            per_agent: caps.per_agent.values().min().copied(),
        };
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let jobs = self.ports.store.list_jobs(&JobFilter { pipeline: None, states }).await?;
        // Of the others nobody asked whether a worker can be given them.
        let is_kept = |job: &Job| job.state != JobState::Queued { available_at: due };
        let Some(job) = find_overdue(&jobs, slots, now, is_kept) else { return Ok(()) };
        let mut told = self.overdue.lock().expect("no holder panics");
        if *told != Some(job.id) {
            *told = Some(job.id);
            tracing::error!(job.id = %job.id, pipeline.id = %job.pipeline, "{} could be done for long and nobody does it: please report it, and start again", job.slot);
        }
        Ok(())
    }
}
