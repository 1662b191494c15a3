//! What follows from a step: rows that are written with it and acted on later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    decision::{Choice, Decision},
    id::DecisionId,
    job::Slot,
    revision::CommitSha,
    verdict::Verdict,
};

/// A timer of a pipeline; one of each.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TimerKey {
    /// The pipeline's `wall_time` is over.
    WallTime,
}

/// A job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Its place in the pipeline: asking twice gives one job.
    pub slot: Slot,
    /// The commit that it is about.
    pub commit: Option<CommitSha>,
    /// It needs the project's merge lease.
    pub exclusive: bool,
}

/// What follows from a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Queue a job.
    Enqueue(NewJob),
    /// Cancel every queued and running job of the pipeline but clean-ups; agents at work are stopped.
    CancelJobs,
    /// Ask a person.
    OpenDecision(Decision),
    /// A person has answered.
    ResolveDecision {
        /// Which question.
        id: DecisionId,
        /// What was chosen.
        choice: Choice,
        /// In their words.
        comment: String,
    },
    /// Nobody needs the answer any more.
    WithdrawDecision {
        /// Which question.
        id: DecisionId,
    },
    /// Set a timer, in place of an earlier one of the same key.
    ArmTimer {
        /// Which.
        timer: TimerKey,
        /// When it is due.
        at: Timestamp,
    },
    /// Remove all timers of the pipeline.
    DisarmTimers,
    /// Let others merge.
    ReleaseMergeLease,
    /// Keep a verdict.
    StoreVerdict(Verdict),
}
