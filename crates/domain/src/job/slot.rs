//! A job's place in its pipeline.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{GateName, RoleName, StageName};

/// What a worker has to be able to do for a job; caps and figures go by it.
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
pub enum JobKind {
    /// Runs an agent.
    Agent,
    /// Judges a commit.
    Gate,
    /// Works on the mirror or the people's repository.
    Git,
    /// Removes what a pipeline no longer needs.
    Cleanup,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Sync the mirror and find the commit to start from.
    Open,
    /// Commit the item's words as the first document.
    Intake,
    /// Run the agent of a role.
    Agent {
        /// The role.
        role: RoleName,
    },
    /// Merge what the roles of a wave handed in side by side.
    Join,
    /// Ask a gate.
    Gate {
        /// The gate.
        gate: GateName,
    },
    /// Bring the branch onto its target, in the mirror only.
    Integrate,
    /// Move the target.
    Land,
    /// Leave the branch in the people's repository.
    Publish,
    /// Remove workspaces.
    Cleanup,
}

impl Work {
    /// The kind of job that does it.
    #[must_use]
    pub const fn kind(&self) -> JobKind {
        match self {
            Self::Agent { .. } => JobKind::Agent,
            Self::Gate { .. } => JobKind::Gate,
            Self::Open
            | Self::Intake
            | Self::Join
            | Self::Integrate
            | Self::Land
            | Self::Publish => JobKind::Git,
            Self::Cleanup => JobKind::Cleanup,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent { role } => write!(f, "agent:{role}"),
            Self::Gate { gate } => write!(f, "gate:{gate}"),
            Self::Open => f.write_str("open"),
            Self::Intake => f.write_str("intake"),
            Self::Join => f.write_str("join"),
            Self::Integrate => f.write_str("integrate"),
            Self::Land => f.write_str("land"),
            Self::Publish => f.write_str("publish"),
            Self::Cleanup => f.write_str("cleanup"),
        }
    }
}

/// A job's place in its pipeline. There is never more than one job in a slot, so that asking twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The pipeline's epoch: an older one is left behind.
    pub epoch: u32,
    /// The stage.
    pub stage: StageName,
    /// The attempt of that stage, from 1; 0 while the pipeline is being opened.
    pub attempt: u32,
    /// Counts where the same work is done again within an attempt: waves, merge rounds.
    pub round: u32,
    /// The work.
    pub work: Work,
}

/// `2/development/1/0/agent:developer`: unique in its pipeline.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, stage, attempt, round, work } = self;
        write!(f, "{epoch}/{stage}/{attempt}/{round}/{work}")
    }
}
