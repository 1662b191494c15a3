//! A job and the states it can be in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Slot;
use crate::{
    id::{JobId, PipelineId},
    name::{AgentName, ProjectKey},
    revision::CommitSha,
};

/// Who works on a job, and until when nobody else may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The process: never used again after its end.
    pub owner: String,
    /// The fencing token: rises with every claim of the job, and only the current one counts.
    pub token: u64,
    /// When somebody else may take over.
    pub expires_at: Timestamp,
}

/// How often a job was tried, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Failures of its own.
    pub attempts: u32,
    /// Failures of the outside world.
    pub transient_attempts: u32,
    /// Losses in a row to restarts; back to 0 with any other failure.
    pub lost: u32,
    /// Times that it was held back by a spent quota window or a login.
    pub holds: u32,
}

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(JobStateTag),
    derive(
        Hash,
        PartialOrd,
        Ord,
        strum::Display,
        strum::EnumString,
        strum::VariantArray,
        strum::IntoStaticStr
    ),
    strum(serialize_all = "snake_case")
)]
pub enum JobState {
    /// Waits for a worker.
    Queued {
        /// Not before this.
        available_at: Timestamp,
    },
    /// A worker has it.
    Running {
        /// The worker's lease.
        lease: Lease,
    },
    /// Its report has been consumed.
    Done,
    /// Its budgets are spent; the pipeline knows.
    Failed,
    /// Nobody wants it any more.
    Cancelled,
}

/// A row of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The pipeline that wants it.
    pub pipeline: PipelineId,
    /// That pipeline's project: caps and fairness go by it.
    pub project: ProjectKey,
    /// Its place in the pipeline.
    pub slot: Slot,
    /// The commit that it is about.
    pub commit: Option<CommitSha>,
    /// The agent that it needs: caps go by it.
    pub agent: Option<AgentName>,
    /// It needs the project's merge lease, which its claim takes or renews.
    pub exclusive: bool,
    /// Higher goes first.
    pub priority: i32,
    /// How often it was tried.
    pub budget: Budget,
    /// How often it was claimed: the last fencing token given out.
    pub claims: u64,
    /// Where it is.
    pub state: JobState,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl Job {
    /// The lease of whoever works on it.
    #[must_use]
    pub const fn lease(&self) -> Option<&Lease> {
        match &self.state {
            JobState::Running { lease } => Some(lease),
            JobState::Queued { .. } | JobState::Done | JobState::Failed | JobState::Cancelled => {
                None
            }
        }
    }
}
