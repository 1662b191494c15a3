//! Judging a commit.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{definition::Gate, revision::CommitSha, verdict::Verdict};

use crate::ProjectRef;

/// A gate asked about a commit.
#[derive(Clone, Debug)]
pub struct GateQuestion {
    /// The project.
    pub project: ProjectRef,
    /// The gate, from the pinned definition.
    pub gate: Gate,
    /// The item's key, for `{item}` in paths.
    pub item: String,
    /// The commit.
    pub commit: CommitSha,
    /// The commit of the target that the branch started from: what was there before.
    pub base: CommitSha,
    /// A directory for this question alone, on the host: checkout, logs. Made and removed by the gate, but for `evidence`.
    pub scratch: Utf8PathBuf,
    /// Where evidence is to stay.
    pub evidence: Utf8PathBuf,
}

/// What a gate says.
#[derive(Clone, Debug)]
pub enum GateAnswer {
    /// Its verdict.
    Verdict(Verdict),
    /// It needs a person's answer first: the text of the questions.
    Ask {
        /// Word for word.
        questions: String,
    },
}

/// Why a gate could not even begin. Becomes a verdict `error` or a retry; never a pass.
#[derive(Debug, thiserror::Error)]
#[error("gate `{gate}` could not answer: {reason}")]
pub struct GateError {
    /// The gate.
    pub gate: String,
    /// What stood in the way.
    pub reason: String,
    /// Whether the system said that a disk is full.
    pub is_full_disk: bool,
}

/// Answers gate questions.
#[async_trait]
pub trait Gates: Send + Sync {
    /// Judges. Deterministic, changes nothing, may be asked again at any time.
    async fn judge(&self, question: &GateQuestion) -> Result<GateAnswer, GateError>;

    /// Ends what may still be at work for the question of this scratch directory, and removes it. Absent is fine.
    async fn abandon(&self, scratch: &Utf8Path) -> Result<(), GateError>;
}
