//! What moves a pipeline next.

use jiff::Timestamp;

use super::{Occupant, Situation, Slots};
use crate::{
    breaker::{BreakerKey, BreakerState, BreakerStateTag, Hold, HoldReason},
    decision::{Choice, DecisionKind},
    id::{DecisionId, PipelineId, RunId},
    job::{Job, JobKind, JobState, Work},
    limits::{JOB_ATTEMPTS_MAX, JOB_TRANSIENT_ATTEMPTS_MAX},
    name::AgentName,
    pipeline::{Actor, Event, EventKind, PipelineState},
};

/// What moves a pipeline next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mover {
    /// Nothing: it has ended.
    Ended,
    /// A person, who starts it.
    Start,
    /// A person, who answers.
    Answer {
        /// The question.
        decision: DecisionId,
        /// What it is about; `None` where the question itself cannot be found.
        kind: Option<DecisionKind>,
        /// Its words.
        question: String,
        /// What can be chosen.
        options: Vec<Choice>,
    },
    /// A person, who has it go on.
    Resume {
        /// Who paused it: the engine, where its process was interrupted. `None` where its log cannot be read there.
        by: Option<Actor>,
        /// When.
        since: Option<Timestamp>,
    },
    /// A worker, which is at it.
    Worker {
        /// What it does.
        work: Work,
        /// The process.
        owner: String,
        /// Until when nobody else may.
        until: Timestamp,
        /// The agent's run, where it is one.
        run: Option<RunId>,
        /// Since when that runs.
        since: Option<Timestamp>,
        /// When it last said anything.
        last_heard: Option<Timestamp>,
        /// The process is gone, whatever its lease says: the next one takes the job up.
        is_gone: bool,
        /// Whether the agent lives, where somebody has looked.
        agent_lives: Option<bool>,
    },
    /// Whoever takes the job back: its worker has not been heard for the length of its lease.
    Recovery {
        /// What was being done.
        work: Work,
        /// The process that did it.
        owner: String,
        /// Since when anybody may.
        since: Timestamp,
    },
    /// The next worker that is free.
    Claim {
        /// What is to be done.
        work: Work,
        /// Since when it could be.
        since: Timestamp,
    },
    /// Time: a try has failed and the next one waits.
    Backoff {
        /// What is to be done.
        work: Work,
        /// When.
        until: Timestamp,
        /// Which try comes next, from 1.
        next_try: u32,
        /// How many there are.
        tries_max: u32,
        /// Why the last one failed.
        why: Option<String>,
    },
    /// Somebody else's end: no slot is free.
    Slot {
        /// What is to be done.
        work: Work,
        /// Which cap is reached.
        cap: Cap,
        /// Who has the slots.
        occupants: Vec<Occupant>,
    },
    /// Whoever the agent's provider is, or a person: agents of its kind are not started.
    Breaker {
        /// What is to be done.
        work: Work,
        /// The kind and its provider.
        breaker: BreakerKey,
        /// Why.
        reason: HoldReason,
        /// Whether it is open, or one job tries.
        state: BreakerStateTag,
        /// When one of them may try; `None` waits for a person, or for the one that tries.
        until: Option<Timestamp>,
        /// What the last run said that met it.
        message: String,
    },
    /// Somebody else's merge.
    Merge {
        /// What is to be done.
        work: Work,
        /// The pipeline that merges.
        merging: PipelineId,
    },
}

/// A cap on what runs at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Of everything.
    Total(u32),
    /// Of the project.
    Project(u32),
    /// Of the agent.
    Agent(AgentName, u32),
}

/// Everything that could move it, the first first.
pub(super) fn movers(situation: &Situation<'_>) -> Vec<Mover> {
    let Situation { pipeline, events, .. } = situation;
    match &pipeline.state {
        PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => vec![Mover::Ended],
        PipelineState::Queued => vec![Mover::Start],
        PipelineState::Paused { .. } => {
            // Where its last one is that it was resumed, the one that says who has paused it since cannot be read.
            let is_turn = |it: &&Event| matches!(it.kind, EventKind::Paused | EventKind::Resumed);
            let paused = events.iter().rev().find(is_turn);
            let paused = paused.filter(|it| it.kind == EventKind::Paused);
            let by = paused.map(|it| it.actor.clone());
            vec![Mover::Resume { by, since: paused.map(|it| it.at) }]
        }
        PipelineState::AwaitingHuman { decision, .. } | PipelineState::Blocked { decision, .. } => {
            vec![answer(situation, *decision)]
        }
        PipelineState::Running { .. } => {
            let own = |job: &&Job| {
                job.pipeline == pipeline.id && job.slot.work.kind() != JobKind::Cleanup
            };
            let mut jobs: Vec<&Job> = situation.jobs.iter().filter(own).collect();
            jobs.sort_by_key(|job| match &job.state {
                JobState::Running { lease } => (0, lease.expires_at),
                JobState::Queued { available_at } => (1, *available_at),
                JobState::Done | JobState::Failed | JobState::Cancelled => (2, job.created_at),
            });
            jobs.into_iter().filter_map(|job| mover(situation, job)).collect()
        }
    }
}

fn answer(situation: &Situation<'_>, decision: DecisionId) -> Mover {
    match situation.decision.filter(|it| it.id == decision) {
        Some(it) => Mover::Answer {
            decision,
            kind: Some(it.kind),
            question: it.question.clone(),
            options: it.options.clone(),
        },
        None => {
            Mover::Answer { decision, kind: None, question: String::new(), options: Vec::new() }
        }
    }
}

fn mover(situation: &Situation<'_>, job: &Job) -> Option<Mover> {
    let work = job.slot.work.clone();
    match &job.state {
        JobState::Running { lease } if lease.expires_at > situation.now => {
            let run = situation.runs.iter().rfind(|it| it.job == job.id && it.ended_at.is_none());
            Some(Mover::Worker {
                work,
                owner: lease.owner.clone(),
                until: lease.expires_at,
                run: run.map(|it| it.id),
                since: run.map(|it| it.launched_at),
                last_heard: run.and(situation.last_heard),
                is_gone: situation.holder.is_none() || situation.gone.contains(&lease.owner),
                agent_lives: run.and_then(|run| situation.agents.get(&run.id).copied()),
            })
        }
        JobState::Running { lease } => {
            Some(Mover::Recovery { work, owner: lease.owner.clone(), since: lease.expires_at })
        }
        JobState::Queued { available_at } => Some(
            breaker(situation, job, *available_at)
                .or_else(|| backoff(situation, job, *available_at))
                .or_else(|| merge(situation, job))
                .or_else(|| slot(situation, job))
                .unwrap_or(Mover::Claim { work, since: *available_at }),
        ),
        JobState::Done | JobState::Failed | JobState::Cancelled => None,
    }
}

/// The breaker that keeps the job's agent from being started.
fn breaker(situation: &Situation<'_>, job: &Job, due: Timestamp) -> Option<Mover> {
    let breaker = situation.held.get(job.agent.as_ref()?)?;
    let Hold { since: _, until, reason, message } = breaker.keeps(due, situation.now)?;
    let until = match breaker.state {
        BreakerState::Open { .. } => *until,
        BreakerState::Closed { .. } | BreakerState::HalfOpen { .. } => None,
    };
    Some(Mover::Breaker {
        work: job.slot.work.clone(),
        breaker: breaker.key.clone(),
        reason: *reason,
        state: (&breaker.state).into(),
        until,
        message: message.clone(),
    })
}

/// The time that a job waits for whose last try has failed.
fn backoff(situation: &Situation<'_>, job: &Job, until: Timestamp) -> Option<Mover> {
    if until <= situation.now {
        return None;
    }
    let (work, why) = (job.slot.work.clone(), job.last_error.clone());
    let (next_try, tries_max) = tries(job);
    Some(Mover::Backoff { work, until, next_try, tries_max, why })
}

/// Which try comes next, by the budget that makes it wait.
fn tries(job: &Job) -> (u32, u32) {
    if job.budget.transient_attempts > 0 {
        (job.budget.transient_attempts + 1, JOB_TRANSIENT_ATTEMPTS_MAX)
    } else {
        (job.budget.attempts + 1, JOB_ATTEMPTS_MAX)
    }
}

/// The pipeline that merges now, if the job has to wait for it.
fn merge(situation: &Situation<'_>, job: &Job) -> Option<Mover> {
    let merging = situation.merging.filter(|it| job.exclusive && *it != job.pipeline)?;
    Some(Mover::Merge { work: job.slot.work.clone(), merging })
}

/// The cap that keeps the job, if one does.
fn slot(situation: &Situation<'_>, job: &Job) -> Option<Mover> {
    let (cap, occupants) = find_cap(situation.jobs, situation.slots, job)?;
    Some(Mover::Slot { work: job.slot.work.clone(), cap, occupants })
}

/// The cap that keeps a job, and who has its slots.
pub(super) fn find_cap(jobs: &[Job], slots: Slots, job: &Job) -> Option<(Cap, Vec<Occupant>)> {
    let counts = |it: &&Job| matches!(it.slot.work.kind(), JobKind::Agent | JobKind::Gate);
    if !counts(&job) {
        return None;
    }
    let under_way: Vec<&Job> =
        jobs.iter().filter(counts).filter(|it| it.lease().is_some()).collect();
    let reached = |max: u32, of: &dyn Fn(&Job) -> bool| -> Option<Vec<Occupant>> {
        let occupants: Vec<Occupant> = under_way
            .iter()
            .filter(|it| of(it))
            .map(|it| Occupant { pipeline: it.pipeline, agent: it.agent.clone() })
            .collect();
        (occupants.len() >= max as usize).then_some(occupants)
    };
    let total = || Some((Cap::Total(slots.total), reached(slots.total, &|_| true)?));
    let project = || {
        let max = slots.per_project?;
        Some((Cap::Project(max), reached(max, &|it| it.project == job.project)?))
    };
    let agent = || {
        let (max, agent) = (slots.per_agent?, job.agent.clone()?);
        let occupants = reached(max, &|it| it.agent.as_ref() == Some(&agent))?;
        Some((Cap::Agent(agent, max), occupants))
    };
    total().or_else(project).or_else(agent)
}

impl Mover {
    /// Whether it takes a process of ours to move it.
    #[must_use]
    pub const fn needs_a_process(&self) -> bool {
        match self {
            Self::Worker { .. }
            | Self::Recovery { .. }
            | Self::Claim { .. }
            | Self::Backoff { .. }
            | Self::Slot { .. }
            | Self::Breaker { .. }
            | Self::Merge { .. } => true,
            Self::Ended | Self::Start | Self::Answer { .. } | Self::Resume { .. } => false,
        }
    }
}
