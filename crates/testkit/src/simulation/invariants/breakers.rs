//! Behind a breaker that is not closed one job tries, and no other starts.

use domain::{breaker::BreakerState, job::Job};
use ports::Claim;

use super::{Broken, broken};
use crate::store_model::Model;

/// A job was given out: its breaker is closed, or it is the one that tries, or its agent was launched before.
pub(super) fn one_tries_behind_a_breaker(
    model: &Model,
    claim: &Claim,
    job: &Job,
) -> Result<(), Broken> {
    let key = job.agent.as_ref().and_then(|agent| claim.breakers.get(agent));
    let Some(breaker) = key.and_then(|key| model.breakers.get(key)) else { return Ok(()) };
    let is_taken_up = model.runs.values().any(|run| run.job == job.id && run.ended_at.is_none());
    let may_start = match &breaker.state {
        BreakerState::Closed { .. } => true,
        BreakerState::HalfOpen { probe, .. } => (probe.job, probe.token) == (job.id, job.claims),
        BreakerState::Open { .. } => false,
    };
    if may_start || is_taken_up {
        return Ok(());
    }
    let what = format!("{} of {}: {:?}", job.slot, job.pipeline, breaker.state);
    broken("behind an open breaker nothing starts", what)
}
