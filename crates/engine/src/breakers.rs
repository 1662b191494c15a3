//! What the end of a run means for the breaker of its agent, and what people do about breakers.

use std::collections::BTreeSet;

use domain::{
    breaker::{Breaker, BreakerInput, BreakerKey, BreakerState, Hold, HoldReason, Probe},
    failure::{Failure, FailureClass},
    id::PipelineId,
    job::{Job, JobInput, JobState, JobStateTag},
    name::AgentName,
    pipeline::EventKind,
    run::Run,
};
use jiff::Timestamp;
use ports::JobFilter;

use crate::{Cause, Engine, EngineError, apply::JobReport};

/// A breaker as it is written with a step, and whether it opened with it.
pub(crate) struct Change {
    pub(crate) breaker: Breaker,
    pub(crate) opened: bool,
}

/// Pipelines whose jobs an open breaker keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The breaker.
    pub breaker: BreakerKey,
    /// Why, and until when.
    pub hold: Hold,
    /// Whose jobs wait.
    pub pipelines: BTreeSet<PipelineId>,
}

impl Engine {
    /// What the run that ended with this cause shows about its provider, where that changes anything.
    pub(crate) async fn breaker_change(
        &self,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Option<Change>, EngineError> {
        let (Some(run), Some(report)) = (&cause.run, &cause.job) else { return Ok(None) };
        let JobReport { job, input, expired_by: _ } = report;
        let Some(key) = self.guard(&run.agent) else { return Ok(None) };
        let by = Probe { job: job.id, token: job.claims };
        let input = match input {
            JobInput::Complete { .. } => BreakerInput::Succeeded { by },
            JobInput::Fail { failure, .. } => BreakerInput::Failed { by, failure: failure.clone() },
            // It was taken away from its run, which tells nothing.
            JobInput::Claim { .. }
            | JobInput::Heartbeat { .. }
            | JobInput::Release { .. }
            | JobInput::Expire
            | JobInput::Cancel => return Ok(None),
        };
        let breaker = self.ports.store.load_breaker(&key).await?;
        let next = breaker.decide(&input, now);
        if next.state == breaker.state {
            return Ok(None);
        }
        Ok(Some(Change { breaker: breaker.next(next.state), opened: next.opened }))
    }

    /// A failure as it counts for its job: waiting costs nothing only where a breaker makes the job wait. Settings may
    /// have changed, so that another agent ran than the one whose breaker the job stands behind.
    pub(crate) fn as_counted(&self, job: &Job, run: Option<&Run>, failure: &Failure) -> Failure {
        let stands_behind = job.agent.as_ref().and_then(|agent| self.guard(agent));
        let ran = run.and_then(|run| self.guard(&run.agent));
        let class = match failure.class {
            FailureClass::Quota | FailureClass::Credentials
                if ran.is_some() && stands_behind == ran =>
            {
                failure.class
            }
            FailureClass::Quota => FailureClass::Transient,
            FailureClass::Credentials => FailureClass::Permanent,
            other => other,
        };
        Failure { class, ..failure.clone() }
    }

    /// Lets one job of a breaker try before its time, or beside one that tries already, as a person asks. Says whether it
    /// was not closed.
    pub async fn resume_breaker(&self, key: &BreakerKey) -> Result<bool, EngineError> {
        loop {
            let breaker = self.ports.store.load_breaker(key).await?;
            if breaker.state.hold().is_none() {
                return Ok(false);
            }
            let next = breaker.decide(&BreakerInput::Resume, self.ports.clock.now());
            // Somebody else may have been faster: look again at what they left.
            if self.ports.store.save_breaker(&breaker.next(next.state)).await? {
                tracing::info!(breaker = %key, "a person had {key} try again");
                self.ports.wakeup.wake();
                return Ok(true);
            }
        }
    }

    /// Lets one job of each kind try that waits for a person: one is here now.
    pub async fn resume_what_waits_for_a_person(&self) -> Result<Vec<BreakerKey>, EngineError> {
        let ours: BTreeSet<BreakerKey> = self.options.guards().into_values().collect();
        let mut resumed = Vec::new();
        for breaker in self.ports.store.list_breakers().await? {
            let waits =
                matches!(&breaker.state, BreakerState::Open { hold } if hold.until.is_none());
            if waits && ours.contains(&breaker.key) && self.resume_breaker(&breaker.key).await? {
                resumed.push(breaker.key);
            }
        }
        Ok(resumed)
    }

    /// The breaker that a job of this pipeline stands behind and that only a person can open.
    pub async fn find_what_waits_for_a_person(
        &self,
        pipeline: PipelineId,
    ) -> Result<Option<Breaker>, EngineError> {
        let queued = JobFilter { pipeline: Some(pipeline), states: vec![JobStateTag::Queued] };
        for job in self.ports.store.list_jobs(&queued).await? {
            let Some(key) = job.agent.as_ref().and_then(|agent| self.guard(agent)) else {
                continue;
            };
            let breaker = self.ports.store.load_breaker(&key).await?;
            if matches!(&breaker.state, BreakerState::Open { hold } if hold.until.is_none()) {
                return Ok(Some(breaker));
            }
        }
        Ok(None)
    }

    /// What waits behind the breakers that are open, and for which of them. One whose time has come keeps nobody. Only
    /// looks.
    pub async fn list_parked(&self) -> Result<Vec<Parked>, EngineError> {
        let is_open = |breaker: &Breaker| matches!(breaker.state, BreakerState::Open { .. });
        let mut open = self.ports.store.list_breakers().await?;
        open.retain(is_open);
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let queued = JobFilter { pipeline: None, states: vec![JobStateTag::Queued] };
        let jobs = self.ports.store.list_jobs(&queued).await?;
        let now = self.ports.clock.now();
        let parked = open.into_iter().filter_map(|breaker| {
            let hold = breaker.state.hold()?.clone();
            let keeps = |job: &Job| match job.state {
                JobState::Queued { available_at } => breaker.keeps(available_at, now).is_some(),
                JobState::Running { .. }
                | JobState::Done
                | JobState::Failed
                | JobState::Cancelled => false,
            };
            let waits = |job: &&Job| {
                let guard = job.agent.as_ref().and_then(|agent| self.guard(agent));
                guard.as_ref() == Some(&breaker.key) && keeps(job)
            };
            let pipelines: BTreeSet<_> = jobs.iter().filter(waits).map(|it| it.pipeline).collect();
            (!pipelines.is_empty()).then_some(Parked { breaker: breaker.key, hold, pipelines })
        });
        Ok(parked.collect())
    }

    fn guard(&self, agent: &AgentName) -> Option<BreakerKey> {
        self.options.agents.get(agent)?.breaker()
    }
}

impl Change {
    /// The line in the log of the pipeline that met it.
    pub(crate) fn event(&self) -> Option<EventKind> {
        let hold = self.breaker.state.hold().filter(|_| self.opened)?;
        Some(EventKind::BreakerOpened {
            breaker: self.breaker.key.clone(),
            reason: hold.reason,
            until: hold.until,
            message: hold.message.clone(),
        })
    }

    /// Tells whoever watches the process, once it is written.
    pub(crate) fn alert(&self) {
        let key = &self.breaker.key;
        let Some(hold) = self.breaker.state.hold() else {
            if matches!(self.breaker.state, BreakerState::Closed { failures: 0 }) {
                tracing::info!(breaker = %key, "{key} is well");
            }
            return;
        };
        if !self.opened {
            return;
        }
        let until = hold.until.map_or_else(String::new, |until| format!(" until {until}"));
        let message = &hold.message;
        match hold.reason {
            HoldReason::Credentials => {
                tracing::error!(breaker = %key, "{key} waits for a person: {message}");
            }
            HoldReason::Failures | HoldReason::Quota => {
                tracing::warn!(breaker = %key, "{key} is not asked{until}: {message}");
            }
        }
    }
}
