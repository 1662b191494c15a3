//! Says of work that could be done and is not: the loop looks alive, and something in it is not.

use domain::explain::Slots;

use crate::{Engine, EngineError, Keepers};

impl Engine {
    /// Says once of a job that it has been due for long although nothing keeps it.
    pub(crate) async fn watch_overdue(&self) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        let caps = &self.options.caps;
        let slots = Slots {
            total: caps.total,
            per_project: caps.per_project,
            // The smallest one: rather too late than a false alarm.
            per_agent: caps.per_agent.values().min().copied(),
        };
        let held = self.preflight.lock().expect("no holder panics").held(now);
        let keepers = Keepers { slots, guards: &self.options.guards(), held: &held };
        let Some(job) = keepers.find_overdue(&*self.ports.store, now).await? else { return Ok(()) };
        let mut told = self.overdue.lock().expect("no holder panics");
        if *told != Some(job.id) {
            *told = Some(job.id);
            tracing::error!(job.id = %job.id, pipeline.id = %job.pipeline, "{} could be done for long and nobody does it: please report it, and start again", job.slot);
        }
        Ok(())
    }
}
