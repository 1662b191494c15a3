//! Finds an agent that is busy and gets nowhere: it reads, thinks and talks, and does nothing new.

use std::time::Duration;

use jiff::Timestamp;

use super::{Alarm, novelty::Novelty};
use crate::{limits::AGENT_PROGRESS_TURNS_MIN, run::AgentEvent};

/// What happened since the agent last did something new.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// How long it may take; zero looks at nothing.
    limit: Duration,
    since: Timestamp,
    turns: u32,
    /// The call under way may change something.
    acts: bool,
}

impl Progress {
    pub(super) const fn new(now: Timestamp, limit: Duration) -> Self {
        Self { limit, since: now, turns: 0, acts: false }
    }

    pub(super) fn heard(
        &mut self,
        now: Timestamp,
        event: &AgentEvent,
        novelty: Option<Novelty>,
    ) -> Option<Alarm> {
        if self.limit.is_zero() {
            return None;
        }
        match event {
            AgentEvent::ToolCall { only_reads, .. } => {
                self.acts = !only_reads;
                self.turns = self.turns.saturating_add(1);
            }
            AgentEvent::Text { .. } | AgentEvent::Thinking => {
                self.turns = self.turns.saturating_add(1);
            }
            AgentEvent::ToolResult { .. } => {}
            AgentEvent::Started { .. }
            | AgentEvent::Usage { .. }
            | AgentEvent::Retrying { .. }
            | AgentEvent::RateLimited { .. }
            | AgentEvent::Error { .. }
            | AgentEvent::Finished => return None,
        }
        if self.acts && novelty == Some(Novelty::New) {
            (self.since, self.turns) = (now, 0);
        }
        let since = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        let got_nowhere = since >= self.limit && self.turns >= AGENT_PROGRESS_TURNS_MIN;
        got_nowhere.then_some(Alarm::NoProgress { since, turns: self.turns })
    }
}
