//! The attempts of stages, a line each.

use std::time::Duration;

use api::{GateAnswerView, StageView};
use domain::{pipeline::AttemptState, verdict::VerdictOutcome};
use owo_colors::Stream;

use super::{duration, one_line, paint, tone_of_attempt, tone_of_verdict};

/// The attempts of stages, a line each, and below it why the work was sent back.
pub(crate) fn timeline(stages: &[StageView]) -> String {
    let width = stages.iter().map(|it| label(it).chars().count()).max().unwrap_or(0);
    let lines = stages.iter().flat_map(|it| lines(it, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn lines(attempt: &StageView, width: usize) -> Vec<String> {
    let (mark, words) = state(attempt.state);
    let tone = tone_of_attempt(attempt.state);
    let took = attempt.duration_ms.map(|it| duration(Duration::from_millis(it)));
    let state = paint(Stream::Stdout, tone, &format!("{mark} {words:<15}"));
    let gates: Vec<String> = attempt.gates.iter().map(gate).collect();
    let line = format!(
        "  {state} {:<width$}  {:>7}  {}",
        label(attempt),
        took.unwrap_or_default(),
        gates.join("  ")
    );
    let mut lines = vec![line.trim_end().to_owned()];
    if let (Some(to), Some(by)) = (&attempt.sent_back_to, &attempt.sent_back_by) {
        let why = attempt.findings.first().map(|it| format!(": {}", one_line(&it.message)));
        let by = one_line(by);
        lines.push(format!("      back to {to}, by {by}{}", why.unwrap_or_default()));
    }
    lines
}

fn label(attempt: &StageView) -> String {
    match attempt.attempt {
        1 => attempt.stage.to_string(),
        again => format!("{} #{again}", attempt.stage),
    }
}

/// A mark and words: neither needs the colour.
const fn state(state: AttemptState) -> (&'static str, &'static str) {
    match state {
        AttemptState::Pending => ("·", "pending"),
        AttemptState::Running => ("▸", "running"),
        AttemptState::Gating => ("▸", "gating"),
        AttemptState::AwaitingHuman => ("?", "awaiting human"),
        AttemptState::Passed => ("✓", "passed"),
        AttemptState::SentBack => ("↩", "sent back"),
        AttemptState::Failed => ("✗", "failed"),
        AttemptState::Skipped => ("-", "left behind"),
    }
}

fn gate(answer: &GateAnswerView) -> String {
    let words = match answer.outcome {
        VerdictOutcome::Pass => "pass",
        VerdictOutcome::Fail => "fail",
        VerdictOutcome::Error => "error",
        VerdictOutcome::Waived => "waived",
    };
    let tone = tone_of_verdict(answer.outcome);
    paint(Stream::Stdout, tone, &format!("{}: {words}", answer.gate))
}
