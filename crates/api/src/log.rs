//! What agents printed.

use domain::{id::RunId, run::AgentEvent};
use serde::Serialize;
use serde_json::{Value, json};

/// Something that an agent said or did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogEventView {
    /// The run.
    pub run: RunId,
    /// What: an object with a `type`. Lines of agents whose stream is not understood have the type `raw`.
    pub event: Value,
}

impl LogEventView {
    /// The view of an event that was understood.
    #[must_use]
    pub fn new(run: RunId, event: &AgentEvent) -> Self {
        Self { run, event: serde_json::to_value(event).unwrap_or_default() }
    }

    /// The view of a line as it was printed.
    #[must_use]
    pub fn raw(run: RunId, line: &str) -> Self {
        Self { run, event: json!({ "type": "raw", "line": line }) }
    }
}
