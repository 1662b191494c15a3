//! Reads Codex's stream.

use std::collections::BTreeSet;

use domain::{
    failure::{Failure, FailureClass},
    fingerprint::Fingerprint,
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use ports::{ExitRecord, StreamParser};
use serde::Deserialize;
use serde_json::Value;

use super::wire::{Item, ItemHead, Line, ProviderError};
use crate::{
    ending::{self, exited, failed},
    patience,
    provider::{Provider, refusal},
    tokens, trouble, words,
};

/// Tool calls under way that are remembered; Codex runs a handful at once.
const CALLS_OPEN_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Parser {
    lines: u64,
    unknown: u64,
    started: bool,
    provider: Provider,
    said: String,
    usage: Usage,
    open: BTreeSet<String>,
    end: Option<Result<(), String>>,
}

impl StreamParser for Parser {
    fn line(&mut self, line: &str) -> Vec<AgentEvent> {
        self.lines += 1;
        let events = match serde_json::from_str(line) {
            Ok(Line::ThreadStarted { thread_id }) => {
                self.started = true;
                vec![AgentEvent::Started { session: words::session(&thread_id) }]
            }
            Ok(Line::TurnStarted {} | Line::ItemUpdated {}) => Vec::new(),
            Ok(Line::ItemStarted { item }) => self.item_started(&item),
            Ok(Line::ItemCompleted { item }) => self.item_completed(&item),
            Ok(Line::Error { message }) => vec![error(&message)],
            Ok(Line::TurnCompleted { usage }) => {
                self.end = Some(Ok(()));
                let total = usage.map_or(self.usage, Usage::from);
                self.usage = tokens::believed(self.usage, total);
                vec![AgentEvent::Usage { total: self.usage }, AgentEvent::Finished]
            }
            Ok(Line::TurnFailed { error }) => {
                let window = trouble::speaks_of_a_window(&error.message);
                self.end = Some(Err(error.message));
                if window {
                    vec![AgentEvent::RateLimited { until: None }, AgentEvent::Finished]
                } else {
                    vec![AgentEvent::Finished]
                }
            }
            Ok(Line::Unknown) | Err(_) => self.not_understood(),
        };
        for event in &events {
            self.provider.observe(event);
            if let AgentEvent::Text { text } = event {
                self.said.clone_from(text);
            }
        }
        events
    }

    /// Known at the end of a turn only; of the whole conversation, where the run goes on with one.
    fn usage(&self) -> Usage {
        self.usage
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
        match &self.end {
            Some(Err(message)) => {
                failed(self.provider.with_patience(refused(message), exit.ended_at))
            }
            Some(Ok(())) if code == 0 => RunOutcome::Ended { summary: words::summary(&self.said) },
            Some(Ok(())) => failed(exited(code, words::last_line(stderr_tail))),
            None => self.without_end(code, exit, stderr_tail),
        }
    }
}

impl Parser {
    fn item_started(&mut self, item: &Value) -> Vec<AgentEvent> {
        let Some((head, item)) = read(item) else { return self.not_understood() };
        let Some(call) = tool_call(&item) else { return Vec::new() };
        if self.open.len() < CALLS_OPEN_MAX {
            self.open.insert(head.id);
        }
        vec![call]
    }

    fn item_completed(&mut self, item: &Value) -> Vec<AgentEvent> {
        let Some((head, item)) = read(item) else { return self.not_understood() };
        match &item {
            Item::AgentMessage { text } => {
                return vec![AgentEvent::Text { text: words::text(text) }];
            }
            Item::Reasoning {} => return vec![AgentEvent::Thinking],
            Item::Error { message } => {
                return vec![AgentEvent::Error { message: words::text(message) }];
            }
            _ => {}
        }
        let Some(call) = tool_call(&item) else { return Vec::new() };
        // Only commands tell what came of them.
        let output = if let Item::CommandExecution { aggregated_output, .. } = &item {
            Some(aggregated_output.as_str())
        } else {
            None
        };
        let result = AgentEvent::ToolResult {
            ok: head.status.as_deref() == Some("completed"),
            size: output.map_or(0, str::len) as u64,
            fingerprint: output.map(|output| Fingerprint::of(&[output])),
        };
        // Some items are only reported when they are done.
        if self.open.remove(&head.id) { vec![result] } else { vec![call, result] }
    }

    fn not_understood(&mut self) -> Vec<AgentEvent> {
        self.unknown += 1;
        Vec::new()
    }

    /// No end of the turn: the stream was cut, or the program never got as far as a stream.
    fn without_end(&self, code: i32, exit: &ExitRecord, stderr_tail: &str) -> RunOutcome {
        if let Some(failure) = self.provider.failure(exit.ended_at) {
            return failed(failure);
        }
        if exit.log_cut {
            // The end may well have been said, past the end of the log: only the exit code is left to go by.
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
            // It may be that of a tool server: a key that is refused ends the turn, with words of its own.
            let class = complaint.and_then(trouble::class_of_quoted_words);
            failure.class = class.unwrap_or(failure.class);
            return failed(failure);
        }
        let Self { lines, unknown, .. } = self;
        let message = format!(
            "the stream was cut: the turn has no end in {lines} lines, {unknown} of them not understood; exit code {code}"
        );
        failed(Failure::new(FailureClass::Transient, message))
    }
}

fn read(item: &Value) -> Option<(ItemHead, Item)> {
    Some((ItemHead::deserialize(item).unwrap_or_default(), Item::deserialize(item).ok()?))
}

/// `Reconnecting... 1/2 (…)` is a retry; whatever else is an error that Codex may survive.
fn error(message: &str) -> AgentEvent {
    let retry = message
        .strip_prefix("Reconnecting... ")
        .and_then(|rest| rest.split_once('/')?.0.parse().ok());
    match retry {
        Some(attempt) => AgentEvent::Retrying {
            status: trouble::status_in(message),
            after: patience::wait_in(message),
            attempt,
        },
        None => AgentEvent::Error { message: words::text(message) },
    }
}

/// What the words of a failed turn mean: by the provider's own code, by status, and at last by the words.
fn refused(message: &str) -> Failure {
    let body = serde_json::from_str::<ProviderError>(message).ok().map(|it| it.error);
    let code = body.as_ref().and_then(|body| body.code.as_deref().or(body.kind.as_deref()));
    let said =
        words::summary(body.as_ref().and_then(|body| body.message.as_deref()).unwrap_or(message));
    let mut failure = match (code.and_then(trouble::class_of_code), trouble::status_in(message)) {
        (Some(class), _) => Failure::new(class, format!("the turn failed: {said}")),
        (None, Some(status)) => refusal(status, &said),
        (None, None) => {
            let class = trouble::class_of_words(&said).unwrap_or(FailureClass::Permanent);
            Failure::new(class, format!("the turn failed: {said}"))
        }
    };
    if matches!(failure.class, FailureClass::Transient | FailureClass::Quota) {
        failure.retry_after = patience::wait_in(message);
    }
    failure
}

fn tool_call(item: &Item) -> Option<AgentEvent> {
    let (name, input) = match item {
        Item::CommandExecution { command, .. } => ("shell".to_owned(), command.clone()),
        Item::FileChange { changes } => {
            let changes: Vec<_> =
                changes.iter().map(|change| format!("{} {}", change.kind, change.path)).collect();
            ("apply_patch".to_owned(), changes.join(", "))
        }
        Item::McpToolCall { server, tool, arguments } => {
            (format!("{server}.{tool}"), arguments.to_string())
        }
        Item::WebSearch { query } => ("web_search".to_owned(), query.clone()),
        Item::AgentMessage { .. } | Item::Reasoning {} | Item::Error { .. } | Item::Other => {
            return None;
        }
    };
    // A change of files is told without what is changed in them: two may differ in everything but the name.
    let tells_all = !matches!(item, Item::FileChange { .. });
    Some(AgentEvent::ToolCall {
        fingerprint: tells_all.then(|| Fingerprint::of(&[&name, &input])),
        only_reads: matches!(item, Item::WebSearch { .. }),
        name: words::input(&name),
        input: words::input(&input),
    })
}
