//! What watchers see while it happens.

use domain::{
    id::{PipelineId, RunId},
    job::Slot,
    name::{AgentName, RoleName, StageName},
    pipeline::EventKind,
    run::AgentEvent,
};
use jiff::Timestamp;

/// What watchers see. Lossy on purpose: whoever falls behind reads the log of events instead.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Something that is in the log now.
    Happened {
        /// The pipeline.
        pipeline: PipelineId,
        /// When.
        at: Timestamp,
        /// What.
        event: EventKind,
    },
    /// A worker began a job.
    JobStarted {
        /// The pipeline.
        pipeline: PipelineId,
        /// The job's place.
        slot: Slot,
    },
    /// An agent was started, or found again.
    RunStarted {
        /// The pipeline.
        pipeline: PipelineId,
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
        /// The agent.
        agent: AgentName,
        /// The run.
        run: RunId,
        /// How it was found.
        found: RunFound,
    },
    /// Jobs wait for something that this machine cannot do for now.
    HeldBack {
        /// What is wrong, and what to do about it.
        problem: String,
    },
    /// An agent said something.
    Agent {
        /// The pipeline.
        pipeline: PipelineId,
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
        /// The run.
        run: RunId,
        /// What.
        event: AgentEvent,
    },
}

/// How a run was found by the process that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFound {
    /// It was launched just now.
    New,
    /// An earlier process launched it, and its agent is at work.
    AtWork,
    /// An earlier process launched it, and its agent has ended since.
    Ended,
}
