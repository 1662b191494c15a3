//! The states of a pipeline and of the stage attempt under way.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    brief::Feedback,
    definition::DefinitionHash,
    failure::Failure,
    id::{DecisionId, PipelineId},
    item::Item,
    name::{AgentName, DefinitionName, GateName, ProjectKey, RoleName, StageName},
    revision::{BranchName, CommitSha, TreeSha},
    usage::Usage,
};

/// What becomes of a finished branch where the definition leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Delivery {
    /// It is left in the people's repository.
    #[default]
    Branch,
    /// It is merged into the target.
    Merge,
}

/// What was settled when the pipeline was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineOptions {
    /// What becomes of the branch.
    pub delivery: Delivery,
    /// Approvals are asked of people; otherwise they are waived, and the verdict says so.
    pub human_gates: bool,
    /// The agent that plays every role, in place of what the project's settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
}

/// A pipeline, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// The project that it belongs to.
    pub project: ProjectKey,
    /// What is wanted.
    pub item: Item,
    /// The name of its definition, for people.
    pub definition_name: DefinitionName,
    /// Its definition, pinned.
    pub definition: DefinitionHash,
    /// What was settled at its making.
    pub options: PipelineOptions,
    /// The branch that its agents work on.
    pub branch: BranchName,
    /// The branch that the work is for.
    pub target: BranchName,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises by one with every step.
    pub version: u64,
    /// Rises when work under way is left behind: jobs of an older epoch are stale.
    pub epoch: u32,
    /// The commit of the target that it started from.
    pub base: Option<CommitSha>,
    /// The last commit that was handed in.
    pub head: Option<CommitSha>,
    /// How many attempts each stage has had.
    pub attempts: BTreeMap<StageName, u32>,
    /// The last commit that each stage was left or sent back with.
    pub seen: BTreeMap<StageName, CommitSha>,
    /// How often each route was taken: `review->development`.
    pub routes: BTreeMap<String, u32>,
    /// How often a person granted the limits anew.
    pub limit_grants: u32,
    /// What its runs used.
    pub usage: Usage,
    /// Where it is.
    pub state: PipelineState,
}

/// Where a pipeline is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "status", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(PipelineStateTag),
    derive(
        Hash,
        PartialOrd,
        Ord,
        Serialize,
        Deserialize,
        strum::Display,
        strum::EnumString,
        strum::VariantArray,
        strum::IntoStaticStr
    ),
    strum(serialize_all = "snake_case"),
    serde(rename_all = "snake_case")
)]
pub enum PipelineState {
    /// Not started.
    Queued,
    /// Something is at work.
    Running {
        /// The attempt under way.
        attempt: StageAttempt,
    },
    /// A gate asks a person.
    AwaitingHuman {
        /// The attempt that waits.
        attempt: StageAttempt,
        /// The question.
        decision: DecisionId,
    },
    /// Something only a person can settle.
    Blocked {
        /// The attempt that cannot go on.
        attempt: StageAttempt,
        /// The question.
        decision: DecisionId,
        /// Why.
        block: Block,
    },
    /// A person had it wait; nothing of it is started.
    Paused {
        /// Where it goes on.
        inner: Box<PipelineState>,
    },
    /// The work is where it was to go.
    Succeeded {
        /// Where that is.
        delivered: Delivered,
    },
    /// The definition gave up.
    Failed {
        /// The stage that failed.
        stage: StageName,
        /// Why.
        failure: PipelineFailure,
    },
    /// A person gave up.
    Cancelled {
        /// Who.
        by: String,
        /// Why, in their words.
        reason: String,
    },
}

/// One try of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageAttempt {
    /// The stage.
    pub stage: StageName,
    /// Which try, from 1; 0 while the pipeline is being opened.
    pub number: u32,
    /// When it was begun.
    pub started_at: Timestamp,
    /// Why it is made again, for the agent.
    pub feedback: Feedback,
    /// How far it is.
    pub step: Step,
    /// The merge under way, in stages that merge.
    pub candidate: Option<Candidate>,
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(StepTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Step {
    /// The repository is being looked at; only before the first stage.
    Opening,
    /// The agents of a wave are at work.
    Working {
        /// The wave, from 0.
        wave: u32,
        /// The roles of the wave.
        roles: Vec<RoleProgress>,
    },
    /// What the wave handed in side by side is being merged.
    Joining {
        /// The wave, from 0.
        wave: u32,
        /// What each role handed in, in the order of the definition.
        heads: Vec<(RoleName, CommitSha)>,
    },
    /// The stage itself is at work: intake, publishing.
    Acting,
    /// The branch is being brought onto its target.
    Integrating {
        /// Counts the tries, from 0: the target may move meanwhile.
        round: u32,
    },
    /// A gate is being asked.
    Gating {
        /// The gate's place in the stage.
        gate: u32,
        /// The commit that it is asked about.
        commit: CommitSha,
    },
    /// The target is being moved.
    Landing {
        /// Counts the tries, from 0.
        round: u32,
    },
}

/// How far a role of a wave is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleProgress {
    /// The role.
    pub role: RoleName,
    /// What it handed in; `None` while it works.
    pub head: Option<CommitSha>,
    /// Why it failed, where it did and the others go on.
    pub failure: Option<Failure>,
}

/// A merge that is not public yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The merge commit.
    pub commit: CommitSha,
    /// Its tree.
    pub tree: TreeSha,
    /// The branch as it is merged: replayed where the target had moved.
    pub head: CommitSha,
    /// Where the target was.
    pub target: CommitSha,
    /// The try that made it.
    pub round: u32,
}

/// Why a pipeline waits for a person to settle something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(BlockTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Block {
    /// A gate failed as often as its route allows, or has none.
    GateFailed {
        /// The gate.
        gate: GateName,
        /// The stage that would mend it.
        to: StageName,
        /// What it found.
        feedback: Feedback,
    },
    /// A gate could not answer.
    GateError {
        /// The gate.
        gate: GateName,
        /// What stood in its way.
        message: String,
    },
    /// A role handed in what it must not, or nothing, too often.
    HandIn {
        /// The role.
        role: RoleName,
        /// What was wrong.
        feedback: Feedback,
    },
    /// A job's budgets are spent.
    JobFailed {
        /// Why.
        failure: Failure,
    },
    /// Agents asked more often than people are to be asked.
    Questions {
        /// The last questions.
        questions: String,
    },
    /// A limit of the pipeline is reached.
    Limit {
        /// Which, with its value.
        message: String,
    },
    /// Nothing was left that would have moved it: a fault of ours, or a damaged store.
    Stranded,
}

/// Where the work went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivered {
    /// The branch is in the people's repository.
    Branch {
        /// Its head.
        head: CommitSha,
    },
    /// The target holds it.
    Merged {
        /// The merge commit; the target's own head where it held the work already.
        commit: CommitSha,
    },
}

/// Why a pipeline failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum PipelineFailure {
    /// A route with `then = "fail"` was taken too often.
    RouteSpent {
        /// The gate that failed last.
        gate: GateName,
        /// What it found, one sentence.
        message: String,
    },
}

/// What an attempt is doing or how it ended, for people and for lists.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AttemptState {
    /// Nothing has begun.
    Pending,
    /// Agents, or the stage itself, are at work.
    Running,
    /// A gate is being asked.
    Gating,
    /// A person is being asked.
    AwaitingHuman,
    /// It was left through all of its gates.
    Passed,
    /// A gate sent the work elsewhere.
    SentBack,
    /// It ended the pipeline.
    Failed,
    /// It was left behind: cancelled or restarted.
    Skipped,
}

impl PipelineState {
    /// Whether nothing happens any more.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. })
    }

    /// The attempt under way, paused or not.
    #[must_use]
    pub fn attempt(&self) -> Option<&StageAttempt> {
        match self {
            Self::Running { attempt }
            | Self::AwaitingHuman { attempt, .. }
            | Self::Blocked { attempt, .. } => Some(attempt),
            Self::Paused { inner } => inner.attempt(),
            Self::Queued
            | Self::Succeeded { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => None,
        }
    }

    /// The question that it waits for, paused or not.
    #[must_use]
    pub fn decision(&self) -> Option<DecisionId> {
        match self {
            Self::AwaitingHuman { decision, .. } | Self::Blocked { decision, .. } => {
                Some(*decision)
            }
            Self::Paused { inner } => inner.decision(),
            Self::Queued
            | Self::Running { .. }
            | Self::Succeeded { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => None,
        }
    }
}

impl Step {
    /// What the attempt is doing, in the words of lists.
    #[must_use]
    pub const fn attempt_state(&self) -> AttemptState {
        match self {
            Self::Opening => AttemptState::Pending,
            Self::Working { .. }
            | Self::Joining { .. }
            | Self::Acting
            | Self::Integrating { .. }
            | Self::Landing { .. } => AttemptState::Running,
            Self::Gating { .. } => AttemptState::Gating,
        }
    }
}

impl Pipeline {
    /// The stage under way.
    #[must_use]
    pub fn stage(&self) -> Option<&StageName> {
        self.state.attempt().map(|attempt| &attempt.stage)
    }
}
