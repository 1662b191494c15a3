//! What gates said.

use domain::{
    name::GateName,
    revision::{CommitSha, TreeSha},
    verdict::{Finding, Severity, Verdict, VerdictOutcome},
};
use jiff::Timestamp;
use serde::Serialize;

use crate::millis_between;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// How much it weighs.
    pub severity: Severity,
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, word for word.
    pub message: String,
    /// The rule or test that it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        let Finding { severity, path, line, message, rule } = finding.clone();
        Self { severity, path, line, message, rule }
    }
}

/// A gate's answer about one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerdictView {
    /// Which gate answered.
    pub gate: GateName,
    /// The commit that it was asked about.
    pub commit: CommitSha,
    /// The tree of that commit.
    pub tree: TreeSha,
    /// The answer.
    pub outcome: VerdictOutcome,
    /// One sentence.
    pub summary: String,
    /// Why.
    pub findings: Vec<FindingView>,
    /// When the gate began to look.
    pub started_at: Timestamp,
    /// When it had its answer.
    pub finished_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The log or report behind the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> Self {
        let Verdict {
            gate,
            commit,
            tree,
            outcome,
            findings,
            summary,
            started_at,
            finished_at,
            evidence,
        } = verdict;
        Self {
            gate: gate.clone(),
            commit: commit.clone(),
            tree: tree.clone(),
            outcome: *outcome,
            summary: summary.clone(),
            findings: findings.iter().map(FindingView::from).collect(),
            started_at: *started_at,
            finished_at: *finished_at,
            duration_ms: millis_between(*started_at, *finished_at),
            evidence: evidence.clone(),
        }
    }
}
