//! What a gate found, before it is bound to a commit and a time.

use camino::Utf8PathBuf;
use domain::verdict::{Finding, VerdictOutcome};

/// A verdict to be.
#[derive(Debug)]
pub(crate) struct Ruling {
    /// The answer.
    pub(crate) outcome: VerdictOutcome,
    /// Why.
    pub(crate) findings: Vec<Finding>,
    /// One sentence.
    pub(crate) summary: String,
    /// The log behind it.
    pub(crate) evidence: Option<Utf8PathBuf>,
}

/// What a gate that may ask a person says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It knows.
    Ruling(Ruling),
    /// A person has to answer first.
    Ask {
        /// Word for word.
        questions: String,
    },
}

impl Ruling {
    pub(crate) fn pass(summary: impl Into<String>) -> Self {
        Self {
            outcome: VerdictOutcome::Pass,
            findings: Vec::new(),
            summary: summary.into(),
            evidence: None,
        }
    }

    pub(crate) fn fail(summary: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { outcome: VerdictOutcome::Fail, findings, summary: summary.into(), evidence: None }
    }
}
