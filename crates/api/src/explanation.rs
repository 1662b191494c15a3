//! Why a pipeline is where it is, and what will move it.

use domain::{
    breaker::HoldReason,
    decision::Choice,
    explain::{Cap, Explanation, Mover, Occupant},
    id::{DecisionId, PipelineId, RunId},
    name::AgentName,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{EventView, LetterView, PipelineView, ProcessView};

/// Why a pipeline is where it is, and what will move it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplanationView {
    /// The pipeline.
    pub pipeline: PipelineView,
    /// Who holds the data directory; absent where no process is alive that could work on anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<ProcessView>,
    /// What that process found unable to work on this machine: what starts a process waits for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<String>,
    /// When its time is over, where its definition gives it a `wall_time`: it is blocked then, and a person is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_time_ends_at: Option<Timestamp>,
    /// Letters that tell of it and wait, are under way or are dead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<LetterView>,
    /// Runs whose agents live although no process is at them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<RunId>,
    /// What moves it next, the first of them first. Empty is a fault of Gatewright's.
    pub movers: Vec<MoverView>,
    /// What led to it, newest first.
    pub because: Vec<EventView>,
}

impl ExplanationView {
    /// The view of an explanation.
    #[must_use]
    pub fn new(
        pipeline: PipelineView,
        holder: Option<ProcessView>,
        explanation: &Explanation,
    ) -> Self {
        let Explanation { at_work, movers, left, because } = explanation;
        Self {
            pipeline: pipeline.attended(*at_work),
            holder,
            held: Vec::new(),
            wall_time_ends_at: None,
            letters: Vec::new(),
            left: left.clone(),
            movers: movers.iter().map(MoverView::from).collect(),
            because: because.iter().map(EventView::from).collect(),
        }
    }
}

/// What moves a pipeline next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mover", rename_all = "snake_case")]
pub enum MoverView {
    /// Nothing: it has ended.
    Ended,
    /// A person starts it.
    Start,
    /// A person answers.
    Answer {
        /// The question.
        decision: DecisionId,
        /// Its words.
        question: String,
        /// What can be chosen.
        options: Vec<Choice>,
    },
    /// A person has it go on.
    Resume {
        /// Who paused it.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// When.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// A worker is at it.
    Worker {
        /// What it does.
        work: String,
        /// The process.
        owner: String,
        /// The end of its lease.
        until: Timestamp,
        /// The agent's run.
        #[serde(skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Since when that runs.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
        /// When it last said anything.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_heard: Option<Timestamp>,
        /// Whether the process is there. Where it is not, its lease says nothing, and the next one takes the job up.
        at_work: bool,
        /// Whether the agent lives, where somebody has looked.
        #[serde(skip_serializing_if = "Option::is_none")]
        agent_lives: Option<bool>,
    },
    /// A worker's lease has run out: the job is taken back.
    Recovery {
        /// What was being done.
        work: String,
        /// The process that did it.
        owner: String,
        /// Since when it may be.
        since: Timestamp,
    },
    /// The next worker that is free takes it.
    Claim {
        /// What is to be done.
        work: String,
        /// Since when it could be.
        since: Timestamp,
    },
    /// A try has failed and the next one waits for its time.
    Backoff {
        /// What is to be done.
        work: String,
        /// When.
        until: Timestamp,
        /// Which try comes next, from 1.
        next_try: u32,
        /// How many there are.
        tries_max: u32,
        /// Why the last one failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// No slot is free.
    Slot {
        /// What is to be done.
        work: String,
        /// Which cap is reached: `total`, `project` or `agent`.
        cap: &'static str,
        /// Its value.
        max: u32,
        /// Who has the slots.
        occupants: Vec<OccupantView>,
    },
    /// Agents of its kind are not started.
    Breaker {
        /// What is to be done.
        work: String,
        /// The kind and its provider.
        breaker: String,
        /// Why: `failures`, `quota`, `credentials`.
        reason: HoldReason,
        /// `open`, or `half_open` while one job tries.
        state: String,
        /// When one of them may try; absent where a person has to act, or one tries.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// What the last run said that met it.
        message: String,
    },
    /// Another pipeline of the project merges.
    Merge {
        /// What is to be done.
        work: String,
        /// The pipeline that merges.
        merging: PipelineId,
    },
}

/// Who has a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OccupantView {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The agent, where it is one that is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
}

impl From<&Mover> for MoverView {
    fn from(mover: &Mover) -> Self {
        match mover.clone() {
            Mover::Ended => Self::Ended,
            Mover::Start => Self::Start,
            Mover::Answer { decision, kind: _, question, options } => {
                Self::Answer { decision, question, options }
            }
            Mover::Resume { by, since } => {
                Self::Resume { by: by.map(|actor| actor.to_string()), since }
            }
            Mover::Worker { work, owner, until, run, since, last_heard, is_gone, agent_lives } => {
                let (work, at_work) = (work.to_string(), !is_gone);
                Self::Worker { work, owner, until, run, since, last_heard, at_work, agent_lives }
            }
            Mover::Recovery { work, owner, since } => {
                Self::Recovery { work: work.to_string(), owner, since }
            }
            Mover::Claim { work, since } => Self::Claim { work: work.to_string(), since },
            Mover::Backoff { work, until, next_try, tries_max, why } => {
                Self::Backoff { work: work.to_string(), until, next_try, tries_max, why }
            }
            Mover::Slot { work, cap, occupants } => {
                let (cap, max) = match cap {
                    Cap::Total(max) => ("total", max),
                    Cap::Project(max) => ("project", max),
                    Cap::Agent(_, max) => ("agent", max),
                };
                let occupants = occupants.into_iter().map(OccupantView::from).collect();
                Self::Slot { work: work.to_string(), cap, max, occupants }
            }
            Mover::Breaker { work, breaker, reason, state, until, message } => Self::Breaker {
                work: work.to_string(),
                breaker: breaker.to_string(),
                reason,
                state: state.to_string(),
                until,
                message,
            },
            Mover::Merge { work, merging } => Self::Merge { work: work.to_string(), merging },
        }
    }
}

impl From<Occupant> for OccupantView {
    fn from(occupant: Occupant) -> Self {
        let Occupant { pipeline, agent } = occupant;
        Self { pipeline, agent }
    }
}
