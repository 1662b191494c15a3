//! Reads Claude Code's stream.

use std::{collections::VecDeque, time::Duration};

use domain::{
    failure::{Failure, FailureClass},
    fingerprint::Fingerprint,
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use jiff::Timestamp;
use ports::{ExitRecord, StreamParser};
use serde_json::Value;

use super::wire::{Assistant, Line, Part, RateLimitInfo, RunResult, System, Tokens};
use crate::{
    ending::{self, exited, failed},
    provider::{Provider, refusal},
    tokens, trouble, words,
};

/// Messages whose tokens are remembered: each part of a message repeats them, and parts of subagents' messages
/// come in between.
const MESSAGES_REMEMBERED: usize = 32;
/// Tools that change nothing but what the agent knows.
const READING_TOOLS: &[&str] =
    &["Read", "Glob", "Grep", "LS", "NotebookRead", "TodoWrite", "WebFetch", "WebSearch"];

/// What the client itself says on standard error of an account that it cannot use.
const REFUSALS: &[&str] = &[
    "Invalid API key",
    "Not logged in",
    "Please run /login",
    "Failed to authenticate",
    "Credit balance is too low",
];

#[derive(Debug, Default)]
pub(super) struct Parser {
    lines: u64,
    unknown: u64,
    started: bool,
    provider: Provider,
    /// The code of the last error that the client reported.
    error_code: Option<String>,
    said: String,
    /// Tokens of messages that are no longer remembered.
    settled: Usage,
    recent: VecDeque<(String, Tokens)>,
    result: Option<Box<RunResult>>,
    /// The last count that can be true.
    used: Usage,
}

impl StreamParser for Parser {
    fn line(&mut self, line: &str) -> Vec<AgentEvent> {
        self.lines += 1;
        let events = match serde_json::from_str(line) {
            Ok(Line::System(system)) => self.system(&system),
            Ok(Line::Assistant(assistant)) => self.assistant(assistant),
            Ok(Line::User(user)) => {
                user.message.content.into_iter().filter_map(tool_result).collect()
            }
            Ok(Line::RateLimitEvent(event)) => {
                rate_limited(&event.rate_limit_info).into_iter().collect()
            }
            Ok(Line::Result(result)) => self.result(result),
            Ok(
                Line::StreamEvent | Line::ToolProgress | Line::ToolUseSummary | Line::AuthStatus,
            ) => Vec::new(),
            Ok(Line::Unknown) | Err(_) => {
                self.unknown += 1;
                Vec::new()
            }
        };
        for event in &events {
            self.provider.observe(event);
        }
        events
    }

    /// The result's own count where there is one: until then messages as they begin, whose output is not counted yet.
    fn usage(&self) -> Usage {
        self.used
    }

    fn end(&mut self, exit: &ExitRecord, stderr_tail: &str) -> RunOutcome {
        let code = match ending::exit_code(exit) {
            Ok(code) => code,
            Err(stopped) => {
                let open =
                    self.provider.failure(exit.ended_at).filter(|_| ending::reached_a_limit(exit));
                return failed(open.unwrap_or(stopped));
            }
        };
        match &self.result {
            Some(result) if result.is_error || result.subtype != "success" => {
                failed(self.provider.with_patience(self.refused(result), exit.ended_at))
            }
            Some(result) if code == 0 => RunOutcome::Ended { summary: summary(result) },
            Some(_) => failed(exited(code, Some(&self.said))),
            None => self.without_result(code, exit, stderr_tail),
        }
    }
}

impl Parser {
    fn system(&mut self, system: &System) -> Vec<AgentEvent> {
        match system.subtype.as_str() {
            "init" => {
                self.started = true;
                vec![AgentEvent::Started {
                    session: system.session_id.as_deref().and_then(words::session),
                }]
            }
            "api_retry" => {
                let after = system
                    .retry_delay_ms
                    .and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
                vec![AgentEvent::Retrying {
                    status: system.error_status,
                    after,
                    attempt: system.attempt,
                }]
            }
            _ => Vec::new(),
        }
    }

    fn assistant(&mut self, assistant: Assistant) -> Vec<AgentEvent> {
        let Assistant { message, error } = assistant;
        let parts =
            message.content.into_iter().filter_map(|part| serde_json::from_value(part).ok());
        if let Some(code) = error {
            self.error_code = Some(code);
            let texts = parts
                .filter_map(|part| if let Part::Text { text } = part { Some(text) } else { None });
            return texts.map(|text| AgentEvent::Error { message: words::text(&text) }).collect();
        }
        let mut events: Vec<_> = parts.filter_map(said_or_done).collect();
        if let Some(AgentEvent::Text { text }) =
            events.iter().rfind(|event| matches!(event, AgentEvent::Text { .. }))
        {
            self.said.clone_from(text);
        }
        self.count(message.id, message.usage);
        events.push(AgentEvent::Usage { total: self.used });
        events
    }

    fn count(&mut self, id: String, tokens: Tokens) {
        // One that nobody can have used would stand in the way of all that follow.
        if !tokens::is_possible(&tokens.into()) {
            return;
        }
        self.remember(id, tokens);
        let mut usage = self.settled;
        for (_, tokens) in &self.recent {
            usage += (*tokens).into();
        }
        self.used = tokens::believed(self.used, usage);
    }

    fn remember(&mut self, id: String, tokens: Tokens) {
        if let Some((_, known)) = self.recent.iter_mut().find(|(known, _)| *known == id) {
            *known = tokens;
            return;
        }
        self.recent.push_back((id, tokens));
        if self.recent.len() > MESSAGES_REMEMBERED
            && let Some((_, tokens)) = self.recent.pop_front()
        {
            self.settled += tokens.into();
        }
    }

    fn result(&mut self, result: Box<RunResult>) -> Vec<AgentEvent> {
        self.used = tokens::believed_at_end(self.used, total(&result));
        self.result = Some(result);
        vec![AgentEvent::Usage { total: self.used }, AgentEvent::Finished]
    }

    /// What an error result means: by status, by code, by the kind of the result, and at last by its words.
    fn refused(&self, result: &RunResult) -> Failure {
        let client = result.result.as_deref().or(result.errors.first().map(String::as_str));
        let client = client.filter(|said| !said.is_empty());
        let said = words::summary(client.unwrap_or(&self.said));
        if let Some(status) = result.api_error_status {
            return refusal(status, &said);
        }
        let limit = |message: String| Failure::new(FailureClass::Resource, message);
        match result.subtype.as_str() {
            // Its words have the figure.
            "error_max_turns" => {
                return limit(format!(
                    "used up its turns ({said}); raise `max_turns` of the agent"
                ));
            }
            "error_max_budget_usd" => {
                return limit(format!(
                    "used up the money that its arguments allow ({said}); raise `--max-budget-usd` in `args` of the agent"
                ));
            }
            _ => {}
        }
        let class = self
            .error_code
            .as_deref()
            .and_then(trouble::class_of_code)
            // What the client says of itself is its word; what the agent said last may be about anything.
            .or_else(|| client.and_then(trouble::class_of_words))
            .or_else(|| trouble::class_of_quoted_words(&said));
        let reason = result
            .terminal_reason
            .as_deref()
            .filter(|it| *it != "completed")
            .or(self.error_code.as_deref());
        let reason = words::input(reason.unwrap_or(&result.subtype));
        Failure::new(
            class.unwrap_or(FailureClass::Permanent),
            format!("gave up ({reason}): {said}"),
        )
    }

    /// No result: the stream was cut, or the program never got as far as a stream.
    fn without_result(&self, code: i32, exit: &ExitRecord, stderr_tail: &str) -> RunOutcome {
        if let Some(failure) = self.provider.failure(exit.ended_at) {
            return failed(failure);
        }
        if exit.log_cut {
            // The result may well have been said, past the end of the log: only the exit code is left to go by.
            let said = words::summary(&self.said);
            return if code == 0 {
                RunOutcome::Ended { summary: said }
            } else {
                failed(exited(code, Some(&said)))
            };
        }
        if !self.started && code != 0 {
            let complaint = words::last_line(stderr_tail);
            let mut failure = exited(code, complaint);
            let class = complaint.and_then(|it| trouble::class_of_last_words(it, REFUSALS));
            failure.class = class.unwrap_or(failure.class);
            return failed(failure);
        }
        let Self { lines, unknown, .. } = self;
        let message = format!(
            "the stream was cut: no result in {lines} lines, {unknown} of them not understood; exit code {code}"
        );
        failed(Failure::new(FailureClass::Transient, message))
    }
}

/// Tokens of the run. `modelUsage` counts every call, subagents and repeated calls included, as the cost does;
/// `usage` is empty or too small when a stream was taken up again without streaming.
fn total(result: &RunResult) -> Usage {
    let mut usage = Usage { cost_usd: result.total_cost_usd, ..Usage::default() };
    if result.model_usage.is_empty() {
        usage += result.usage.into();
    }
    for tokens in result.model_usage.values() {
        usage += (*tokens).into();
    }
    usage
}

fn summary(result: &RunResult) -> String {
    let said = words::summary(result.result.as_deref().unwrap_or_default());
    let Some(denied) = result.permission_denials.first() else { return said };
    let (calls, tool) = (result.permission_denials.len(), words::input(&denied.tool_name));
    format!("{said} (denied {calls} tool calls, the first of them to {tool})")
}

fn said_or_done(part: Part) -> Option<AgentEvent> {
    match part {
        Part::Text { text } => Some(AgentEvent::Text { text: words::text(&text) }),
        Part::Thinking {} | Part::RedactedThinking {} => Some(AgentEvent::Thinking),
        Part::ToolUse { name, input } => Some(AgentEvent::ToolCall {
            fingerprint: Some(Fingerprint::of(&[&name, &input.to_string()])),
            only_reads: READING_TOOLS.contains(&name.as_str()),
            name: words::input(&name),
            input: arguments(&input),
        }),
        Part::ToolResult { .. } | Part::Other => None,
    }
}

/// The one argument that tells a person what a call is about, or all of them.
fn arguments(input: &Value) -> String {
    let telling =
        ["command", "file_path", "notebook_path", "pattern", "url", "query", "description"];
    let named = telling.iter().find_map(|name| input.get(name)?.as_str());
    named.map_or_else(|| words::input(&input.to_string()), words::input)
}

fn tool_result(part: Value) -> Option<AgentEvent> {
    let Ok(Part::ToolResult { content, is_error }) = serde_json::from_value(part) else {
        return None;
    };
    let output = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
    Some(AgentEvent::ToolResult {
        ok: !is_error,
        size: output.len() as u64,
        fingerprint: Some(Fingerprint::of(&[&output])),
    })
}

fn rate_limited(info: &RateLimitInfo) -> Option<AgentEvent> {
    let until = info.resets_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    (info.status == "rejected").then_some(AgentEvent::RateLimited { until })
}
