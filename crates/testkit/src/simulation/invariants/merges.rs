//! One pipeline at a time merges in a project.

use domain::{
    job::{Job, JobState},
    limits::LEASE_TTL,
    name::ProjectKey,
    pipeline::{EventKind, Pipeline, PipelineState},
};
use jiff::Timestamp;
use ports::Step;

use super::{Broken, Watch, broken};
use crate::store_model::Model;

/// A merge under way: between its candidate and its landing.
pub(super) struct Merging {
    project: ProjectKey,
    epoch: u32,
    /// When others may merge, as far as is known.
    until: Timestamp,
}

impl Watch {
    /// A merge has a candidate, or none any more.
    pub(super) fn merge_goes_on(&self, model: &Model, step: &Step) {
        let Pipeline { id, project, epoch, state, .. } = &step.pipeline;
        let mut seen = self.seen();
        let merges =
            matches!(state, PipelineState::Running { attempt } if attempt.candidate.is_some());
        if !merges || seen.merging.get(id).is_some_and(|merging| merging.epoch != *epoch) {
            seen.merging.remove(id);
            return;
        }
        let began = step.events.iter().any(|event| matches!(event, EventKind::Integrated { .. }));
        if began {
            let until = step.at.saturating_add(LEASE_TTL).unwrap_or(Timestamp::MAX);
            let lease = model.merge_leases.get(project).filter(|(holder, _)| holder == id);
            // The step that found the candidate may not give the lease away.
            let until = lease.map_or(until, |(_, until)| *until);
            seen.merging.insert(*id, Merging { project: project.clone(), epoch: *epoch, until });
        }
    }

    pub(super) fn leases_are_renewed(&self, model: &Model) {
        for (id, merging) in &mut self.seen().merging {
            if let Some((holder, until)) = model.merge_leases.get(&merging.project)
                && holder == id
            {
                merging.until = *until;
            }
        }
    }

    /// Nobody merges while another's candidate is being judged, unless its lease has run out.
    pub(super) fn one_merges_at_a_time(
        &self,
        model: &Model,
        job: &Job,
        now: Timestamp,
    ) -> Result<(), Broken> {
        if !job.exclusive {
            return Ok(());
        }
        let others = model.jobs.values().find(|other| {
            other.exclusive
                && other.project == job.project
                && other.pipeline != job.pipeline
                && matches!(&other.state, JobState::Running { lease } if lease.expires_at > now)
        });
        if let Some(other) = others {
            let what = format!("{} beside {}", job.pipeline, other.pipeline);
            return broken("one merges at a time", what);
        }
        let seen = self.seen();
        let overtaken = seen.merging.iter().find(|(id, merging)| {
            **id != job.pipeline && merging.project == job.project && merging.until > now
        });
        match overtaken {
            None => Ok(()),
            Some((id, _)) => {
                broken("one merges at a time", format!("{} overtakes {id}", job.pipeline))
            }
        }
    }
}
