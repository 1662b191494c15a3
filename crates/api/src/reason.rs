//! Why a pipeline is where it is, in one sentence.

#[cfg(test)]
mod tests;

use domain::{
    brief::Feedback,
    failure::FailureClass,
    id::DecisionId,
    pipeline::{
        Actor, AttemptState, Block, Event, EventKind, Pipeline, PipelineFailure, PipelineState,
        StageAttempt,
    },
    verdict::in_short,
};

/// Where somebody should have said something.
const NO_WORDS: &str = "no words were given";

/// Why a pipeline is where it is, where there is more to say than its status does. `events` are its own, in order;
/// without them the sentence is a little shorter.
#[must_use]
pub fn reason(pipeline: &Pipeline, events: &[Event]) -> Option<String> {
    of_state(&pipeline.state, events)
}

fn of_state(state: &PipelineState, events: &[Event]) -> Option<String> {
    match state {
        PipelineState::Queued | PipelineState::Succeeded { .. } => None,
        PipelineState::Running { attempt } => retried(attempt, events),
        PipelineState::AwaitingHuman { attempt, decision } => {
            Some(waits(attempt, *decision, events))
        }
        PipelineState::Blocked { attempt, block, .. } => {
            Some(format!("stage `{}`: {}", attempt.stage, blocked(block)))
        }
        PipelineState::Paused { inner } => Some(paused(inner, events)),
        PipelineState::Failed { stage, failure } => {
            let PipelineFailure::RouteSpent { gate, message } = failure;
            Some(format!(
                "stage `{stage}`: gate `{gate}` failed more often than its route allows: {message}"
            ))
        }
        PipelineState::Cancelled { by, reason } if reason.trim().is_empty() => {
            Some(format!("cancelled by {by}"))
        }
        PipelineState::Cancelled { by, reason } => Some(format!("cancelled by {by}: {reason}")),
    }
}

/// Work that failed and is tried again keeps a pipeline running, and waiting.
fn retried(attempt: &StageAttempt, events: &[Event]) -> Option<String> {
    // What opened with it is told after it.
    let is_retry = |event: &&Event| !matches!(event.kind, EventKind::BreakerOpened { .. });
    match &events.iter().rfind(is_retry)?.kind {
        EventKind::JobRetried { stage, work, failure } if *stage == attempt.stage => {
            Some(match failure.class {
                FailureClass::Quota | FailureClass::Credentials => {
                    format!("stage `{stage}`: {work} is held back: {}", failure.message)
                }
                FailureClass::Lost => format!(
                    "stage `{stage}`: {work} goes back to the queue, no try is spent: {}",
                    failure.message
                ),
                _ => format!("stage `{stage}`: {work} is tried again: {}", failure.message),
            })
        }
        _ => None,
    }
}

fn waits(attempt: &StageAttempt, decision: DecisionId, events: &[Event]) -> String {
    let asked = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::DecisionOpened { decision: it, question, .. } if *it == decision => {
            Some(first_line(question))
        }
        _ => None,
    });
    let stage = &attempt.stage;
    match asked {
        Some(question) => format!("stage `{stage}` waits for a person: {question}"),
        None => format!("stage `{stage}` waits for a person to answer {decision}"),
    }
}

fn paused(inner: &PipelineState, events: &[Event]) -> String {
    let by = events.iter().rev().find_map(|event| match event.kind {
        EventKind::Paused if event.actor == Actor::Engine => Some("interrupted".to_owned()),
        EventKind::Paused => Some(format!("paused by {}", event.actor)),
        // Who has paused it since cannot be read.
        EventKind::Resumed => Some("paused".to_owned()),
        _ => None,
    });
    let by = by.unwrap_or_else(|| "paused".to_owned());
    let within = inner.attempt().map(|attempt| match attempt.step.attempt_state() {
        AttemptState::Pending => String::new(),
        _ => format!(" in stage `{}`", attempt.stage),
    });
    let waiting = match inner {
        PipelineState::AwaitingHuman { .. } | PipelineState::Blocked { .. } => {
            of_state(inner, events).map(|why| format!("; {why}"))
        }
        _ => None,
    };
    [by, within.unwrap_or_default(), waiting.unwrap_or_default()].concat()
}

fn blocked(block: &Block) -> String {
    match block {
        Block::GateFailed { gate, feedback, .. } => {
            with_first_words(format!("gate `{gate}` failed as often as it may"), feedback)
        }
        Block::GateError { gate, message } => format!("gate `{gate}` could not answer: {message}"),
        Block::HandIn { role, feedback } => with_first_words(
            format!("role `{role}` handed in too often what cannot be taken"),
            feedback,
        ),
        Block::JobFailed { failure } => failure.message.clone(),
        Block::Questions { questions } => {
            format!("its agent asks more often than people are asked: {}", first_line(questions))
        }
        Block::Limit { message } => message.clone(),
        Block::Stranded => "nothing was left that would have moved it on".to_owned(),
    }
}

fn with_first_words(what: String, feedback: &Feedback) -> String {
    match feedback.findings.first() {
        Some(finding) => {
            let words = Some(in_short(&finding.message)).filter(|it| !it.is_empty());
            format!("{what}: {}", words.as_deref().unwrap_or(NO_WORDS))
        }
        None => what,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(NO_WORDS)
}
