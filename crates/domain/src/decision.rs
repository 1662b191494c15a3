//! Questions to people, and their answers, which are final.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::{DecisionId, PipelineId},
    revision::CommitSha,
    verdict::Finding,
};

/// What a person can choose.
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
pub enum Choice {
    /// Yes, this commit.
    Approve,
    /// No; the comment says why and goes to the agent.
    Reject,
    /// The comment is the answer to the agent's questions.
    Answer,
    /// Try again; a comment goes to the agent.
    Retry,
    /// Go on in spite of it; the comment says on whose responsibility.
    Waive,
    /// Go on with a fresh limit.
    Continue,
    /// Give up.
    Cancel,
}

impl Choice {
    /// Whether it means nothing without words.
    #[must_use]
    pub const fn needs_comment(self) -> bool {
        matches!(self, Self::Reject | Self::Answer | Self::Waive)
    }
}

/// What a decision is about.
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
pub enum DecisionKind {
    /// A gate that a person is.
    Approval,
    /// An agent asks.
    Question,
    /// Retries are spent, or something only a person can mend.
    Escalation,
    /// A limit of the pipeline is reached.
    Limit,
}

/// Where a decision is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(DecisionStateTag),
    derive(Hash, strum::Display, strum::EnumString, strum::VariantArray, strum::IntoStaticStr),
    strum(serialize_all = "snake_case")
)]
pub enum DecisionState {
    /// Somebody should answer.
    Open,
    /// Somebody did.
    Resolved {
        /// What was chosen.
        choice: Choice,
        /// In their words.
        comment: String,
        /// Who it was.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Nobody needs the answer any more.
    Withdrawn {
        /// Since when.
        at: Timestamp,
    },
}

/// A question to a person, with everything that is needed to answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// The pipeline that waits for it.
    pub pipeline: PipelineId,
    /// What it is about.
    pub kind: DecisionKind,
    /// The question, one or more sentences.
    pub question: String,
    /// What led to it, word for word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Files of `commit` that help to decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<String>,
    /// The commit that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitSha>,
    /// What can be chosen.
    pub options: Vec<Choice>,
    /// When it was asked.
    pub opened_at: Timestamp,
    /// Where it is.
    pub state: DecisionState,
}
