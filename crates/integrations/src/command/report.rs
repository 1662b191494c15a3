//! What an usher says about the command that it attended to: one JSON document.

use serde::{Deserialize, Serialize};

/// Bytes of each of its outputs that are kept; the rest is let go.
pub(super) const OUTPUT_BYTES_MAX: u64 = 16 * 1024;

/// How a command ended, and what it said.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    pub(super) end: End,
    pub(super) stdout: Said,
    pub(super) stderr: Said,
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum End {
    /// It never began.
    NotStarted { why: String },
    /// By itself, with this code.
    Exited { code: i32 },
    /// Somebody sent it this signal.
    Signaled { signal: i32 },
    /// It had not ended when its time was over, and was killed.
    TimeLimit,
    /// The system does not say how.
    Lost { why: String },
}

/// The first bytes of what a command wrote to one of its outputs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    pub(super) text: String,
    /// Whether that is all of it.
    pub(super) is_whole: bool,
}

impl Report {
    /// About a command that has said nothing.
    pub(super) fn silent(end: End) -> Self {
        Self { end, stdout: Said::default(), stderr: Said::default() }
    }
}
