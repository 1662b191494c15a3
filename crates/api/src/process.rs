//! Who holds a data directory.

use jiff::Timestamp;
use serde::Serialize;

/// The process that holds a data directory. What it does not say of itself, and cannot be seen of it, is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProcessView {
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What was called: `gatewright run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Whether it does anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ProcessState>,
}

/// Whether a process does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It goes on.
    Running,
    /// A signal has stopped it, and another one lets it go on.
    Stopped,
    /// Whoever traces it has stopped it, and lets it go on.
    Traced,
}
