//! Jobs move as their leases, caps and budgets allow.

use std::collections::BTreeSet;

use domain::{
    failure::FailureClass,
    job::{Job, JobKind, JobState, JobStateTag, Work},
    limits::{JOB_ATTEMPTS_MAX, JOB_LOST_MAX, JOB_TRANSIENT_ATTEMPTS_MAX},
    pipeline::{EventKind, PipelineState},
};
use ports::{Caps, Claim, Step};

use super::{Before, Broken, Watch, broken};
use crate::{simulation::coverage, store_model::Model};

impl Watch {
    /// Jobs move as their leases allow.
    pub(super) fn jobs(&self, model: &Model, claim: Option<&Claim>) -> Result<(), Broken> {
        let mut seen = self.seen();
        let mut slots = BTreeSet::new();
        for job in model.jobs.values() {
            let tag = JobStateTag::from(&job.state);
            let is_live = matches!(tag, JobStateTag::Queued | JobStateTag::Running);
            if is_live && !slots.insert((job.pipeline, &job.slot)) {
                return broken("one live job a slot", format!("{} of {}", job.slot, job.pipeline));
            }
            if job.budget.attempts > JOB_ATTEMPTS_MAX
                || job.budget.transient_attempts > JOB_TRANSIENT_ATTEMPTS_MAX
                || job.budget.lost > JOB_LOST_MAX + 1
            {
                return broken("budgets hold", format!("{}: {:?}", job.slot, job.budget));
            }
            let Some((claims, was)) = seen.jobs.insert(job.id, (job.claims, tag)) else { continue };
            let was_claimed = claim.is_some() && was == JobStateTag::Queued;
            if job.claims != claims && !(was_claimed && job.claims == claims + 1) {
                let what = format!("{}: {claims} became {}", job.slot, job.claims);
                return broken("a fencing token rises by one with every claim", what);
            }
            if tag == JobStateTag::Running && was != tag && job.claims == claims {
                return broken("a job starts with a claim", job.slot.to_string());
            }
            let had_ended = !matches!(was, JobStateTag::Queued | JobStateTag::Running);
            if had_ended && tag != was {
                return broken("a job ends once", format!("{}: {was} became {tag}", job.slot));
            }
        }
        Ok(())
    }

    /// A report counts for whoever has the lease, and a job is taken back from nobody who is at work.
    pub(super) fn only_the_holder_counts(
        &self,
        caller: &str,
        step: &Step,
        before: &Before,
    ) -> Result<(), Broken> {
        let reports = step.input.starts_with("job/");
        let (Some(update), Some(job)) = (&step.job, &before.job) else {
            if reports || step.input.starts_with("expire/") {
                return broken("only the holder of a lease counts", step.input.clone());
            }
            return Ok(());
        };
        let JobState::Running { lease } = &job.state else {
            return broken(
                "only the holder of a lease counts",
                format!("{} is {:?}", job.slot, job.state),
            );
        };
        if update.token != lease.token {
            return broken(
                "only the holder of a lease counts",
                format!("{} with {}", job.slot, update.token),
            );
        }
        if reports && lease.owner != caller {
            return broken(
                "only the holder of a lease counts",
                format!("{caller} reports {}, which {} has", job.slot, lease.owner),
            );
        }
        let at_work = self.record.is_alive(&lease.owner) && lease.expires_at > step.at;
        if !reports && lease.owner != caller && at_work {
            let what = format!("{caller} takes {} from {}", job.slot, lease.owner);
            return broken("nobody at work is taken for dead", what);
        }
        Ok(())
    }
}

/// What a try costs is what its failure says, and nothing where there is none.
pub(super) fn what_is_not_its_fault_costs_nothing(
    step: &Step,
    before: &Before,
) -> Result<(), Broken> {
    let (Some(update), Some(job)) = (&step.job, &before.job) else { return Ok(()) };
    let failure = step.events.iter().find_map(|event| match event {
        EventKind::JobRetried { failure, .. } | EventKind::JobFailed { failure, .. } => {
            Some(failure)
        }
        _ => None,
    });
    let class = failure.map(|failure| failure.class);
    let own = matches!(class, Some(FailureClass::Permanent | FailureClass::Resource));
    let (was, is) = (job.budget, update.next.budget);
    let costs_a_try = is.attempts > was.attempts && !own;
    let costs_patience =
        is.transient_attempts > was.transient_attempts && class != Some(FailureClass::Transient);
    if costs_a_try || costs_patience {
        let what = format!("{}: {was:?} became {is:?} for {failure:?}", job.slot);
        return broken("what is not its fault costs nothing", what);
    }
    Ok(())
}

pub(super) fn starts_nothing_that_must_wait(model: &Model, job: &Job) -> Result<(), Broken> {
    let state = &model.pipelines[&job.pipeline].state;
    let is_over = state.is_terminal() && job.slot.work != Work::Cleanup;
    if is_over || matches!(state, PipelineState::Paused { .. }) {
        let what = format!("{} of {}, which is {}", job.slot, job.pipeline, coverage::label(state));
        return broken("what waits or is over starts nothing", what);
    }
    Ok(())
}

pub(super) fn is_capped(job: &Job) -> bool {
    matches!(job.slot.work.kind(), JobKind::Agent | JobKind::Gate)
}

pub(super) fn caps_hold(model: &Model, caps: &Caps) -> Result<(), Broken> {
    let running: Vec<&Job> = model
        .jobs
        .values()
        .filter(|job| is_capped(job) && JobStateTag::from(&job.state) == JobStateTag::Running)
        .collect();
    let count = |meant: &dyn Fn(&&&Job) -> bool| running.iter().filter(|job| meant(job)).count();
    for job in &running {
        let of_project = count(&|other| other.project == job.project);
        let of_agent = count(&|other| job.agent.is_some() && other.agent == job.agent);
        let agent_cap = job.agent.as_ref().and_then(|agent| caps.per_agent.get(agent));
        let too_many = running.len() > caps.total as usize
            || caps.per_project.is_some_and(|cap| of_project > cap as usize)
            || agent_cap.is_some_and(|cap| of_agent > *cap as usize);
        if too_many {
            let what = format!("{} run, {of_project} in {}, {caps:?}", running.len(), job.project);
            return broken("caps hold", what);
        }
    }
    Ok(())
}
