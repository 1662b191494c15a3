//! What an agent printed, as people read it.

use api::LogEventView;
use domain::{id::RunId, run::AgentEvent};
use owo_colors::Stream;
use ports::StreamParser;

use crate::{
    output,
    words::{self, Tone, one_line, paint, safe},
};

/// Prints a run's log line by line.
pub(super) struct Renderer {
    run: RunId,
    parser: Option<Box<dyn StreamParser>>,
    json: bool,
    was_thinking: bool,
}

impl Renderer {
    /// Without a parser lines are printed as they are, but for what cannot be seen.
    pub(super) fn new(run: RunId, parser: Option<Box<dyn StreamParser>>, json: bool) -> Self {
        Self { run, parser, json, was_thinking: false }
    }

    pub(super) fn line(&mut self, line: &str) {
        let Some(parser) = &mut self.parser else {
            if self.json {
                output::json_line(&LogEventView::raw(self.run, line));
            } else {
                output::data(safe(line));
            }
            return;
        };
        for event in parser.line(line) {
            if self.json {
                output::json_line(&LogEventView::new(self.run, &event));
                continue;
            }
            let is_thinking = event == AgentEvent::Thinking;
            if let (Some((words, tone)), false) =
                (describe(&event), is_thinking && self.was_thinking)
            {
                output::data(paint(Stream::Stdout, tone, &words));
            }
            self.was_thinking = is_thinking;
        }
    }
}

/// An event in words; none where there is nothing to say.
fn describe(event: &AgentEvent) -> Option<(String, Tone)> {
    let (words, tone) = match event {
        AgentEvent::Started { session: Some(session) } => {
            (format!("started, session {}", one_line(session)), Tone::Quiet)
        }
        AgentEvent::Started { session: None } => ("started".to_owned(), Tone::Quiet),
        AgentEvent::Text { text } => (safe(text), Tone::Plain),
        AgentEvent::Thinking => ("thinking …".to_owned(), Tone::Quiet),
        AgentEvent::ToolCall { name, input, .. } => {
            (format!("> {} {}", one_line(name), one_line(input)), Tone::Plain)
        }
        AgentEvent::ToolResult { ok: true, size, .. } => {
            (format!("  worked, {size} bytes"), Tone::Quiet)
        }
        AgentEvent::ToolResult { ok: false, size, .. } => {
            (format!("  did not work, {size} bytes"), Tone::Attention)
        }
        AgentEvent::Usage { .. } => return None,
        AgentEvent::Retrying { status, after, attempt } => {
            let why = words::refused(*status);
            let status = status.map(|it| format!(" ({it})")).unwrap_or_default();
            let after = after.map(|it| format!(" in {}", words::duration(it))).unwrap_or_default();
            (format!("{why}{status}: try {attempt}{after}"), Tone::Attention)
        }
        AgentEvent::RateLimited { until: Some(until) } => {
            (format!("the quota is spent until {until}"), Tone::Attention)
        }
        AgentEvent::RateLimited { until: None } => {
            ("the quota is spent".to_owned(), Tone::Attention)
        }
        AgentEvent::Error { message } => (format!("error: {}", safe(message)), Tone::Bad),
        AgentEvent::Finished => ("finished".to_owned(), Tone::Quiet),
    };
    Some((words, tone))
}
