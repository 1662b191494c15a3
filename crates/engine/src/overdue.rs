//! Which job could be done for long, and nobody does it? One answer, for the engine's alarm and for whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    breaker::{BreakerKey, BreakerState},
    explain::{Slots, find_overdue, is_overdue},
    id::PipelineId,
    job::{Job, JobKind, JobStateTag},
    name::AgentName,
    pipeline::PipelineStateTag,
};
use jiff::Timestamp;
use ports::{DamagedRow, Held, JobFilter, PipelineFilter, Store, StoreError};

/// What may keep a job that is due, beside what is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Keepers<'a> {
    /// How much may run at once.
    pub slots: Slots,
    /// Which breaker guards which agent.
    pub guards: &'a BTreeMap<AgentName, BreakerKey>,
    /// What this machine cannot do.
    pub held: &'a Held,
}

impl Keepers<'_> {
    /// The oldest job that has been due for long although nothing keeps it.
    pub async fn find_overdue(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        // What is not due at all needs no look at all that there is.
        let due = store.next_due(self.guards).await?.job;
        if due.is_none_or(|due| !is_overdue(due, now)) {
            return Ok(None);
        }
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let jobs = store.list_jobs(&JobFilter { pipeline: None, states }).await?;
        let behind = self.list_behind(store, now).await?;
        let states = vec![PipelineStateTag::Paused];
        let paused = PipelineFilter { states, ..PipelineFilter::default() };
        let paused: BTreeSet<PipelineId> =
            store.list_pipelines(&paused).await?.iter().map(|it| it.id).collect();
        let mut damaged: BTreeSet<PipelineId> = BTreeSet::new();
        loop {
            let is_kept = |job: &Job| {
                paused.contains(&job.pipeline)
                    || damaged.contains(&job.pipeline)
                    || job.agent.as_ref().is_some_and(|agent| behind.contains(agent))
                    || self.lacks(job)
            };
            let found = find_overdue(&jobs, self.slots, now, is_kept);
            let Some(job) = found else { return Ok(None) };
            // Who looks for damage reads much: of the one that would be told of, and of all once that one is parked, since a
            // row that many share parks many.
            let scope = damaged.is_empty().then_some(job.pipeline);
            let rows = store.find_damage(scope, now).await?;
            let parked: BTreeSet<String> =
                rows.into_iter().filter(parks).map(|row| row.pipeline).collect();
            if !parked.contains(&job.pipeline.to_string()) {
                return Ok(Some(job.clone()));
            }
            let all = jobs.iter().map(|job| job.pipeline);
            damaged.extend(all.filter(|id| parked.contains(&id.to_string())));
        }
    }

    /// The agents that wait behind a breaker. One that is open long after its time keeps nobody: somebody should have tried.
    async fn list_behind(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<BTreeSet<&AgentName>, StoreError> {
        let mut breakers = store.list_breakers().await?;
        breakers.retain(|breaker| match &breaker.state {
            BreakerState::Closed { .. } => false,
            BreakerState::HalfOpen { .. } => true,
            BreakerState::Open { hold } => hold.until.is_none_or(|until| !is_overdue(until, now)),
        });
        let is_behind = |key: &BreakerKey| breakers.iter().any(|breaker| breaker.key == *key);
        Ok(self.guards.iter().filter(|(_, key)| is_behind(key)).map(|(agent, _)| agent).collect())
    }

    /// Whether the machine lacks what the job needs: that keeps only what starts a process, and of one agent's only its
    /// jobs.
    fn lacks(&self, job: &Job) -> bool {
        let is_held = |agent: &AgentName| self.held.agents.contains(agent);
        match job.slot.work.kind() {
            JobKind::Agent | JobKind::Gate => {
                self.held.processes || job.agent.as_ref().is_some_and(is_held)
            }
            JobKind::Git | JobKind::Cleanup => false,
        }
    }
}

/// Whether a damaged row keeps its pipeline. Nobody decides by events and letters, as long as another event can follow.
fn parks(row: &DamagedRow) -> bool {
    match row.table.as_str() {
        "events" => row.row == row.pipeline,
        "outbox" => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_decides_by_keeps_no_pipeline() {
        let row = |table: &str, row: &str| DamagedRow {
            table: table.to_owned(),
            row: row.to_owned(),
            pipeline: "pl_1".to_owned(),
            what: "it cannot be".to_owned(),
        };
        for (table, id, is_kept) in
            [("jobs", "job_1", true), ("events", "7", false), ("outbox", "ltr_1", false)]
        {
            assert_eq!(parks(&row(table, id)), is_kept, "{table}");
        }
        assert!(parks(&row("events", "pl_1")), "nothing more can happen to it");
    }
}
