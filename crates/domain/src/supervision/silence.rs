//! Tells silence from a tool call that takes its time.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::Alarm;
use crate::run::AgentEvent;

/// Calls under way whose words are remembered; agents run a handful at once.
const OPEN_MAX: usize = 64;

/// When an agent was last heard, and what it is waiting for.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    last: Timestamp,
    /// Calls under way, the oldest first. Counted, since a short one ends while a long one beside it goes on.
    open: VecDeque<String>,
    /// Its stream tells of results, so that nothing else ends a call.
    tells_results: bool,
    stall: Duration,
    tool: Duration,
}

impl Silence {
    pub(super) const fn new(now: Timestamp, stall: Duration, tool: Duration) -> Self {
        Self { last: now, open: VecDeque::new(), tells_results: false, stall, tool }
    }

    pub(super) fn heard(&mut self, now: Timestamp, event: &AgentEvent) {
        self.last = now;
        match event {
            AgentEvent::ToolCall { name, input, .. } => {
                if self.open.len() < OPEN_MAX {
                    self.open.push_back(format!("{name} {input}"));
                }
            }
            AgentEvent::ToolResult { .. } => {
                self.tells_results = true;
                // Which of them has ended is not told; for the limit it does not matter.
                self.open.pop_front();
            }
            AgentEvent::Text { .. } if !self.tells_results => self.open.clear(),
            AgentEvent::Finished => self.open.clear(),
            AgentEvent::Text { .. }
            | AgentEvent::Started { .. }
            | AgentEvent::Thinking
            | AgentEvent::Usage { .. }
            | AgentEvent::Retrying { .. }
            | AgentEvent::RateLimited { .. }
            | AgentEvent::Error { .. } => {}
        }
    }

    /// When silence becomes an alarm.
    pub(super) fn deadline(&self) -> Timestamp {
        let limit = if self.open.is_empty() { self.stall } else { self.tool };
        let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        self.last.saturating_add(limit).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn alarm(&self, now: Timestamp) -> Option<Alarm> {
        if now < self.deadline() {
            return None;
        }
        Some(match self.open.back() {
            Some(call) => Alarm::LongCall { limit: self.tool, call: call.clone() },
            None => Alarm::Silence { limit: self.stall },
        })
    }
}
