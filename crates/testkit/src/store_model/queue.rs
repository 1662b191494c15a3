//! Who gets which job, and for how long.

use std::{cmp::Reverse, collections::BTreeMap};

use domain::{
    breaker::{Breaker, BreakerInput, BreakerKey, BreakerState, Probe, Turn},
    decision::{Decision, DecisionState},
    id::{JobId, PipelineId},
    job::{Job, JobInput, JobKind, JobState, JobStateTag},
    name::{AgentName, ProjectKey},
    pipeline::{Pipeline, PipelineState},
};
use jiff::Timestamp;
use ports::{Caps, Claim, JobUpdate, NextDue};

use super::model::Model;

impl Model {
    pub(super) fn claim(&mut self, claim: &Claim) -> Vec<Job> {
        let input = JobInput::Claim { owner: claim.owner.clone(), ttl: claim.ttl };
        let mut taken = Vec::new();
        while taken.len() < claim.limit as usize {
            let can_start = self.jobs.values().filter(|job| self.can_start(job, claim));
            let best = can_start.min_by_key(|job| {
                let running = self.running(|other| other.project == job.project);
                (running, Reverse(job.priority), job.created_at, job.id)
            });
            let Some(mut job) = best.cloned() else { break };
            let next = job.decide(&input, claim.now).expect("it is queued and its time has come");
            if let JobState::Running { lease } = &next.state {
                job.claims = lease.token;
                if job.exclusive {
                    self.merge_leases.insert(job.project.clone(), (job.pipeline, lease.expires_at));
                }
            }
            job.state = next.state;
            job.budget = next.budget;
            self.jobs.insert(job.id, job.clone());
            self.let_try(&job, claim);
            taken.push(job);
        }
        taken
    }

    fn can_start(&self, job: &Job, claim: &Claim) -> bool {
        let is_due =
            matches!(job.state, JobState::Queued { available_at } if available_at <= claim.now);
        let may_merge = !job.exclusive || self.may_merge(&job.project, job.pipeline, claim.now);
        is_due
            && may_merge
            && !self.is_paused(job.pipeline)
            && self.fits(job, &claim.caps)
            && (self.is_under_way(job) || self.doors_are_open(job, claim))
    }

    /// Whether an agent is at work on it already, or was: to take it up starts nothing.
    fn is_under_way(&self, job: &Job) -> bool {
        self.runs.values().any(|run| run.job == job.id && run.ended_at.is_none())
    }

    fn doors_are_open(&self, job: &Job, claim: &Claim) -> bool {
        let waits = |it: Breaker| matches!(self.turn(&it, claim.now), Turn::Wait { .. });
        !is_held(job, claim) && !self.breaker_of(job, claim).is_some_and(waits)
    }

    fn breaker_of(&self, job: &Job, claim: &Claim) -> Option<Breaker> {
        Some(self.breaker(claim.breakers.get(job.agent.as_ref()?)?))
    }

    pub(super) fn breaker(&self, key: &BreakerKey) -> Breaker {
        self.breakers.get(key).cloned().unwrap_or_else(|| Breaker::new(key.clone()))
    }

    fn turn(&self, breaker: &Breaker, now: Timestamp) -> Turn {
        let is_probing = |job: &Job, token: u64| match &job.state {
            JobState::Running { lease } => lease.token == token,
            JobState::Queued { .. } => self.is_under_way(job) && !self.is_paused(job.pipeline),
            JobState::Done | JobState::Failed | JobState::Cancelled => false,
        };
        breaker.turn(now, |probe| {
            self.jobs.get(&probe.job).is_some_and(|job| is_probing(job, probe.token))
        })
    }

    /// A job that is given out when its breaker is due tries for the others; so does the probe that is taken up again.
    fn let_try(&mut self, job: &Job, claim: &Claim) {
        let Some(breaker) = self.breaker_of(job, claim) else { return };
        let by = Probe { job: job.id, token: job.claims };
        let tries = match &breaker.state {
            BreakerState::Closed { .. } => false,
            BreakerState::Open { .. } => self.turn(&breaker, claim.now) == Turn::Try,
            BreakerState::HalfOpen { probe, .. } => {
                probe.job == job.id || self.turn(&breaker, claim.now) == Turn::Try
            }
        };
        if tries {
            let state = breaker.decide(&BreakerInput::Try { by }, claim.now).state;
            self.save_breaker(&breaker.next(state));
        }
    }

    pub(super) fn is_next(&self, breaker: &Breaker) -> bool {
        self.breaker(&breaker.key).version + 1 == breaker.version
    }

    pub(super) fn save_breaker(&mut self, breaker: &Breaker) -> bool {
        let is_next = self.is_next(breaker);
        if is_next {
            self.breakers.insert(breaker.key.clone(), breaker.clone());
        }
        is_next
    }

    pub(super) fn next_due(&self, breakers: &BTreeMap<AgentName, BreakerKey>) -> NextDue {
        let due_at = |job: &Job| {
            let JobState::Queued { available_at } = job.state else { return None };
            let key = job.agent.as_ref().and_then(|agent| breakers.get(agent));
            match key.map(|key| self.breaker(key).state) {
                _ if self.is_under_way(job) => Some(available_at),
                Some(BreakerState::Open { hold }) => Some(hold.until?.max(available_at)),
                Some(BreakerState::Closed { .. } | BreakerState::HalfOpen { .. }) | None => {
                    Some(available_at)
                }
            }
        };
        let jobs = self.jobs.values().filter(|job| !self.is_paused(job.pipeline));
        let leases = self.jobs.values().filter_map(|job| match &job.state {
            JobState::Running { lease } => Some(lease.expires_at),
            JobState::Queued { .. } | JobState::Done | JobState::Failed | JobState::Cancelled => {
                None
            }
        });
        let (job, timer) = (jobs.filter_map(due_at).min(), self.timers.values().copied().min());
        NextDue { job, timer, lease: leases.min() }
    }

    pub(crate) fn is_paused(&self, pipeline: PipelineId) -> bool {
        matches!(self.pipelines[&pipeline].state, PipelineState::Paused { .. })
    }

    fn may_merge(&self, project: &ProjectKey, pipeline: PipelineId, now: Timestamp) -> bool {
        self.merge_leases
            .get(project)
            .is_none_or(|(holder, expires_at)| *holder == pipeline || *expires_at <= now)
    }

    fn fits(&self, job: &Job, caps: &Caps) -> bool {
        let Caps { total, per_project, per_agent } = caps;
        let agent_cap = job.agent.as_ref().and_then(|agent| per_agent.get(agent)).copied();
        !is_capped(job)
            || (self.running(is_capped) < *total
                && per_project.is_none_or(|cap| {
                    self.running(|other| is_capped(other) && other.project == job.project) < cap
                })
                && agent_cap.is_none_or(|cap| {
                    self.running(|other| is_capped(other) && other.agent == job.agent) < cap
                }))
    }

    fn running(&self, meant: impl Fn(&Job) -> bool) -> u32 {
        let running =
            self.jobs.values().filter(|job| JobStateTag::from(&job.state) == JobStateTag::Running);
        u32::try_from(running.filter(|job| meant(job)).count()).expect("a test has few jobs")
    }

    /// Whether an update may be written.
    pub(super) fn is_held(&self, update: &JobUpdate) -> bool {
        let Some(JobState::Running { lease }) = self.jobs.get(&update.job).map(|job| &job.state)
        else {
            return false;
        };
        lease.token == update.token && update.expired_by.is_none_or(|by| lease.expires_at <= by)
    }

    /// Whether nothing will move a pipeline that was started and has not ended.
    pub(super) fn is_stranded(&self, pipeline: &Pipeline) -> bool {
        let waits_for_nobody = match pipeline.state {
            PipelineState::Running { .. }
            | PipelineState::AwaitingHuman { .. }
            | PipelineState::Blocked { .. } => true,
            PipelineState::Queued
            | PipelineState::Paused { .. }
            | PipelineState::Succeeded { .. }
            | PipelineState::Failed { .. }
            | PipelineState::Cancelled { .. } => false,
        };
        let moves = |job: &Job| {
            let alive = [JobStateTag::Queued, JobStateTag::Running].contains(&(&job.state).into());
            alive && job.pipeline == pipeline.id && job.slot.work.kind() != JobKind::Cleanup
        };
        let asks = |decision: &Decision| {
            decision.pipeline == pipeline.id && decision.state == DecisionState::Open
        };
        waits_for_nobody && !self.jobs.values().any(moves) && !self.decisions.values().any(asks)
    }

    pub(super) fn settle(&mut self, update: &JobUpdate) -> bool {
        if !self.is_held(update) {
            return false;
        }
        let job = self.jobs.get_mut(&update.job).expect("it is held");
        job.state = update.next.state.clone();
        job.budget = update.next.budget;
        job.last_error.clone_from(&update.last_error);
        true
    }

    pub(super) fn heartbeat(&mut self, leases: &[(JobId, u64)], until: Timestamp) -> Vec<JobId> {
        let mut lost = Vec::new();
        for (id, token) in leases {
            let input = JobInput::Heartbeat { token: *token, until };
            match self.jobs.get_mut(id).map(|job| (job.decide(&input, until), job)) {
                Some((Ok(next), job)) => {
                    job.state = next.state;
                    let holders = self
                        .merge_leases
                        .values_mut()
                        .filter(|(holder, _)| *holder == job.pipeline);
                    holders.for_each(|(_, expires_at)| *expires_at = until);
                }
                Some((Err(_), _)) | None => lost.push(*id),
            }
        }
        lost
    }
}

fn is_held(job: &Job, claim: &Claim) -> bool {
    let of_agent = job.agent.as_ref().is_some_and(|agent| claim.held.agents.contains(agent));
    is_capped(job) && (of_agent || claim.held.processes)
}

fn is_capped(job: &Job) -> bool {
    matches!(job.slot.work.kind(), JobKind::Agent | JobKind::Gate)
}
