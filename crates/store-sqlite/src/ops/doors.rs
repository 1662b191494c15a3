//! What a claim may not pass: breakers that are open, and what somebody found unable to work.

use std::collections::BTreeMap;

use domain::{
    breaker::{Breaker, BreakerInput, BreakerKey, BreakerState, Probe, Turn},
    job::{Job, JobState},
};
use jiff::Timestamp;
use ports::Claim;
use rusqlite::Connection;

use super::{breakers, jobs};
use crate::error::Error;

/// The doors as one claim finds them.
pub(super) struct Doors<'a> {
    wish: &'a Claim,
    /// Breakers that are not closed, and what they say.
    breakers: BTreeMap<BreakerKey, (Breaker, Turn)>,
}

impl<'a> Doors<'a> {
    pub(super) fn load(connection: &Connection, wish: &'a Claim) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        for breaker in breakers::list_holding(connection)? {
            let probe_runs = match &breaker.state {
                BreakerState::HalfOpen { probe: Probe { job, token }, .. } => {
                    jobs::is_probing(connection, *job, *token)?
                }
                BreakerState::Closed { .. } | BreakerState::Open { .. } => false,
            };
            let turn = breaker.turn(wish.now, |_| probe_runs);
            found.insert(breaker.key.clone(), (breaker, turn));
        }
        Ok(Self { wish, breakers: found })
    }

    /// Whether jobs may be given out that start processes, for an agent or without one.
    pub(super) fn are_open(&self, agent: Option<&str>) -> bool {
        let Claim { held, breakers: guards, .. } = self.wish;
        let guard = agent.and_then(|agent| guards.iter().find(|(name, _)| name.as_str() == agent));
        let waits = guard
            .and_then(|(_, key)| self.breakers.get(key))
            .is_some_and(|(_, turn)| matches!(turn, Turn::Wait { .. }));
        let is_held = agent.is_some_and(|agent| held.agents.iter().any(|it| it.as_str() == agent));
        !waits && !is_held && !held.processes
    }

    /// Remembers that a job has passed: one that tries for the others has them wait from now on. So does the probe that
    /// is taken up under a new token.
    pub(super) fn pass(
        &mut self,
        connection: &Connection,
        job: &Job,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = job.agent.as_ref().and_then(|agent| self.wish.breakers.get(agent));
        let (Some(key), JobState::Running { lease }) = (key, &job.state) else { return Ok(()) };
        let Some((breaker, turn)) = self.breakers.get_mut(key) else { return Ok(()) };
        let is_probe =
            matches!(&breaker.state, BreakerState::HalfOpen { probe, .. } if probe.job == job.id);
        if *turn != Turn::Try && !is_probe {
            return Ok(());
        }
        let by = Probe { job: job.id, token: lease.token };
        *breaker = breaker.next(breaker.decide(&BreakerInput::Try { by }, now).state);
        *turn = Turn::Wait { until: Some(now) };
        breakers::save(connection, breaker).map(drop)
    }
}
