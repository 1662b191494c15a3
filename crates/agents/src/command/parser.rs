//! Reads lines of text and events.

use domain::{
    failure::{Failure, FailureClass},
    fingerprint::Fingerprint,
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use ports::{ExitRecord, StreamParser};

use crate::{
    ending::{self, exited, failed},
    provider::Provider,
    tokens::believed,
    trouble, words,
};

#[derive(Debug, Default)]
pub(crate) struct Parser {
    provider: Provider,
    said: String,
    complained: Option<String>,
    usage: Usage,
    started: bool,
    finished: bool,
}

impl StreamParser for Parser {
    fn line(&mut self, line: &str) -> Vec<AgentEvent> {
        if line.trim().is_empty() {
            return Vec::new();
        }
        let event = match serde_json::from_str(line) {
            Ok(event) => tidy(event),
            Err(_) => AgentEvent::Text { text: words::text(line.trim_end()) },
        };
        let event = match event {
            AgentEvent::Usage { total } => AgentEvent::Usage { total: believed(self.usage, total) },
            other => other,
        };
        self.provider.observe(&event);
        match &event {
            AgentEvent::Started { .. } => self.started = true,
            AgentEvent::Finished => self.finished = true,
            AgentEvent::Text { text } => self.said.clone_from(text),
            AgentEvent::Error { message } => self.complained = Some(message.clone()),
            AgentEvent::Usage { total } => self.usage = *total,
            AgentEvent::Thinking
            | AgentEvent::ToolCall { .. }
            | AgentEvent::ToolResult { .. }
            | AgentEvent::Retrying { .. }
            | AgentEvent::RateLimited { .. } => {}
        }
        vec![event]
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn end(&mut self, exit: &ExitRecord, stderr_tail: &str) -> RunOutcome {
        let open = self.provider.failure(exit.ended_at);
        let code = match ending::exit_code(exit) {
            Ok(code) => code,
            Err(stopped) => {
                return failed(open.filter(|_| ending::reached_a_limit(exit)).unwrap_or(stopped));
            }
        };
        if let Some(failure) = open {
            return failed(failure);
        }
        if code != 0 {
            let said = self
                .complained
                .as_deref()
                .or(words::last_line(stderr_tail))
                .or(words::last_line(&self.said));
            let mut failure = exited(code, said);
            // Of what it complains about, not of what it says: that may be about anything. Even so it is prose: a key that
            // is refused and a window that is spent have events of their own.
            let complaint = self.complained.as_deref().or(words::last_line(stderr_tail));
            let class = complaint.and_then(trouble::class_of_quoted_words);
            failure.class = class.unwrap_or(failure.class);
            return failed(self.provider.with_patience(failure, exit.ended_at));
        }
        if self.started && !self.finished && !exit.log_cut {
            let message = "the stream was cut: it has a `started` event and no `finished`";
            return failed(Failure::new(FailureClass::Transient, message));
        }
        RunOutcome::Ended { summary: words::summary(&self.said) }
    }
}

/// The same event with nothing in it that is too long or cannot be seen.
fn tidy(event: AgentEvent) -> AgentEvent {
    match event {
        AgentEvent::Started { session } => {
            AgentEvent::Started { session: session.as_deref().and_then(words::session) }
        }
        AgentEvent::Text { text } => AgentEvent::Text { text: words::text(&text) },
        AgentEvent::ToolCall { name, input, .. } => AgentEvent::ToolCall {
            fingerprint: Some(Fingerprint::of(&[&name, &input])),
            only_reads: false,
            name: words::input(&name),
            input: words::input(&input),
        },
        // All that is told of the output is how long it is.
        AgentEvent::ToolResult { ok, size, .. } => AgentEvent::ToolResult {
            ok,
            size,
            fingerprint: Some(Fingerprint::of(&[&ok.to_string(), &size.to_string()])),
        },
        AgentEvent::Error { message } => AgentEvent::Error { message: words::text(&message) },
        AgentEvent::Usage { mut total } => {
            total.cost_usd = total.cost_usd.filter(|cost| *cost >= 0.0);
            AgentEvent::Usage { total }
        }
        AgentEvent::Thinking
        | AgentEvent::Retrying { .. }
        | AgentEvent::RateLimited { .. }
        | AgentEvent::Finished => event,
    }
}
