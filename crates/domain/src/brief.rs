//! What an agent is told: the context that a role's template is rendered with.

use serde::{Deserialize, Serialize};

use crate::verdict::Finding;

/// Something that a person answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What was asked.
    pub question: String,
    /// What the person said, word for word.
    pub answer: String,
    /// Who it was.
    pub by: String,
}

/// Why an attempt is made again, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// The gate, stage or person that sent the work back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What to mend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What people answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

impl Feedback {
    /// Whether there is anything to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.answers.is_empty()
    }
}

/// The variables of a role's template. A template that uses any other is refused at load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefContext {
    /// The item's key: `ET-001`.
    pub item: String,
    /// Its title: somebody else's words.
    pub title: String,
    /// Its description: somebody else's words.
    pub description: String,
    /// The definition's name.
    pub definition: String,
    /// The stage.
    pub stage: String,
    /// The role.
    pub role: String,
    /// Which try of the stage this is, from 1.
    pub attempt: u32,
    /// The branch that the workspace is on.
    pub branch: String,
    /// The branch that the work is for.
    pub target: String,
    /// The commit of the target that the branch started from.
    pub base: String,
    /// The directory of the item's documents: `docs/work-items/ET-001`.
    pub documents: String,
    /// Files that must exist at the end, `{item}` filled in.
    pub artifacts: Vec<String>,
    /// The commands that will judge the work.
    pub checks: Vec<String>,
    /// What may be written; empty is everything that is not denied.
    pub may_write: Vec<String>,
    /// What may not be written.
    pub may_not_write: Vec<String>,
    /// The last commit that this stage looked at before, where there was one.
    pub previous_commit: Option<String>,
    /// What to mend.
    pub findings: Vec<Finding>,
    /// Who sent the work back.
    pub sent_back_by: Option<String>,
    /// What people answered.
    pub answers: Vec<Answer>,
    /// Minutes that the run may take.
    pub time_limit_minutes: u64,
}
