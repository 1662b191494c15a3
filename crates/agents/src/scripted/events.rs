//! What the player says: events as JSON lines, and bytes that are none.

use std::{
    io::{self, Write},
    time::Duration,
};

use domain::{run::AgentEvent, usage::Usage};

use super::scenario::{Step, bytes};

/// Standard output, and what was told of use so far.
pub(super) struct Voice<'a> {
    out: &'a mut dyn Write,
    usage: Usage,
}

/// A tool call, as it is told. Whoever reads it makes its fingerprint.
pub(super) const fn called(name: String, input: String) -> AgentEvent {
    AgentEvent::ToolCall { name, input, fingerprint: None, only_reads: false }
}

/// The end of a tool call, as it is told.
pub(super) const fn answered(ok: bool, size: u64) -> AgentEvent {
    AgentEvent::ToolResult { ok, size, fingerprint: None }
}

impl<'a> Voice<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, usage: Usage::default() }
    }

    /// Prints an event at once: whoever watches sees it when it happens.
    pub(super) fn event(&mut self, event: &AgentEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }

    /// Plays a step that only says something; `None` where it is another.
    pub(super) fn say(
        &mut self,
        step: &Step,
        fill: impl Fn(&str) -> String,
    ) -> Option<io::Result<()>> {
        let event = match step {
            Step::Started { session } => {
                AgentEvent::Started { session: session.as_deref().map(fill) }
            }
            Step::Finished {} => AgentEvent::Finished,
            Step::Say(text) => AgentEvent::Text { text: fill(text) },
            Step::Think {} => AgentEvent::Thinking,
            Step::Error(message) => AgentEvent::Error { message: fill(message) },
            Step::Retrying { status, after_ms, attempt } => AgentEvent::Retrying {
                status: *status,
                after: after_ms.map(Duration::from_millis),
                attempt: *attempt,
            },
            Step::RateLimited { until } => AgentEvent::RateLimited { until: *until },
            Step::Tool { name, input } => {
                let call = called(name.clone(), fill(input));
                return Some(self.event(&call).and_then(|()| self.event(&answered(true, 0))));
            }
            Step::Spend { input, output, cached, cost_usd } => {
                self.usage += Usage {
                    input_tokens: *input,
                    output_tokens: *output,
                    cache_read_tokens: *cached,
                    cache_creation_tokens: 0,
                    cost_usd: *cost_usd,
                };
                AgentEvent::Usage { total: self.usage }
            }
            Step::Raw { text, hex, times } => {
                return Some(self.raw(text.as_deref(), hex.as_deref(), *times));
            }
            _ => return None,
        };
        Some(self.event(&event))
    }

    fn raw(&mut self, text: Option<&str>, hex: Option<&str>, times: u64) -> io::Result<()> {
        let bytes =
            text.map(|it| it.as_bytes().to_vec()).or_else(|| bytes(hex?)).unwrap_or_default();
        for _ in 0..times {
            self.out.write_all(&bytes)?;
        }
        self.out.flush()
    }
}
