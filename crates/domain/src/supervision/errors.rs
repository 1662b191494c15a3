//! Finds an agent that meets the same error again and again and changes nothing about it.

use super::Alarm;
use crate::{fingerprint::Fingerprint, run::AgentEvent};

/// Errors in a row that are all the same.
#[derive(Clone, Debug)]
pub(super) struct Errors {
    /// How many are too many; 0 looks at none.
    limit: u32,
    last: Option<Fingerprint>,
    times: u32,
    /// The call under way, as people see it.
    call: String,
}

impl Errors {
    pub(super) const fn new(limit: u32) -> Self {
        Self { limit, last: None, times: 0, call: String::new() }
    }

    pub(super) fn heard(&mut self, event: &AgentEvent) -> Option<Alarm> {
        match event {
            AgentEvent::ToolCall { name, input, .. } => {
                format!("{name} {input}").trim_end().clone_into(&mut self.call);
                None
            }
            AgentEvent::ToolResult { ok: false, fingerprint: Some(error), .. } => {
                self.failed(*error).then(|| Alarm::Errors {
                    times: self.times,
                    what: format!("`{}` did not work", self.call),
                })
            }
            AgentEvent::Error { message } => {
                self.failed(Fingerprint::of(&["error", message])).then(|| Alarm::Errors {
                    times: self.times,
                    what: message.lines().next().unwrap_or_default().to_owned(),
                })
            }
            // Something went well, or differently.
            AgentEvent::ToolResult { .. } | AgentEvent::Finished => {
                (self.last, self.times) = (None, 0);
                None
            }
            // Its own client tries again: that is the provider's trouble, and has budgets of its own.
            AgentEvent::Retrying { .. }
            | AgentEvent::RateLimited { .. }
            | AgentEvent::Started { .. }
            | AgentEvent::Text { .. }
            | AgentEvent::Thinking
            | AgentEvent::Usage { .. } => None,
        }
    }

    fn failed(&mut self, error: Fingerprint) -> bool {
        if self.last != Some(error) {
            (self.last, self.times) = (Some(error), 0);
        }
        self.times = self.times.saturating_add(1);
        self.limit > 0 && self.times >= self.limit
    }
}
