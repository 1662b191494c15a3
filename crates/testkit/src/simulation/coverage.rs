//! What histories have reached: moves of pipelines, and calls at which a process died.

use std::collections::{BTreeMap, BTreeSet};

use domain::pipeline::{Actor, EventKind, InputTag, PipelineState, Step};
use ports::Step as WrittenStep;

use super::places::{CALLS, allowed, unreachable_for};
use crate::world::Side;

/// What histories have reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How often a pipeline in this state was moved by this input.
    pub moves: BTreeMap<(&'static str, &'static str), u64>,
    /// How often a process died on this side of this call.
    pub crashes: BTreeMap<(&'static str, Side), u64>,
    /// Which calls were made.
    pub calls: BTreeSet<&'static str>,
}

impl Coverage {
    /// Adds what other histories have reached.
    pub fn add(&mut self, other: Self) {
        for (place, times) in other.moves {
            *self.moves.entry(place).or_default() += times;
        }
        for (place, times) in other.crashes {
            *self.crashes.entry(place).or_default() += times;
        }
        self.calls.extend(other.calls);
    }

    /// Calls at which no process died, with the side of them.
    #[must_use]
    pub fn never_crashed(&self) -> Vec<(&'static str, Side)> {
        let both = CALLS.iter().flat_map(|call| [(*call, Side::Before), (*call, Side::After)]);
        both.filter(|place| !self.crashes.contains_key(place)).collect()
    }

    /// Moves that histories can make and that none made.
    #[must_use]
    pub fn never_moved(&self) -> Vec<(&'static str, &'static str)> {
        allowed()
            .filter(|place| !self.moves.contains_key(place) && unreachable_for(*place).is_none())
            .collect()
    }

    /// Moves and calls that were made and that the lists do not have, or call impossible.
    #[must_use]
    pub fn unlisted(&self) -> Vec<String> {
        let is_listed = |place: &(&'static str, &'static str)| {
            allowed().any(|it| it == *place) && unreachable_for(*place).is_none()
        };
        let moves = self.moves.keys().filter(|place| !is_listed(place));
        let moves = moves.map(|(state, input)| format!("{state} + {input}"));
        let calls = self.calls.iter().filter(|call| !CALLS.contains(call));
        moves.chain(calls.map(|call| (*call).to_owned())).collect()
    }
}

/// The state of a pipeline, with what it is at.
pub(super) const fn label(state: &PipelineState) -> &'static str {
    match state {
        PipelineState::Queued => "queued",
        PipelineState::Running { attempt } => match attempt.step {
            Step::Opening => "running: opening",
            Step::Working { .. } => "running: working",
            Step::Joining { .. } => "running: joining",
            Step::Acting => "running: acting",
            Step::Integrating { .. } => "running: integrating",
            Step::Gating { .. } => "running: gating",
            Step::Landing { .. } => "running: landing",
        },
        PipelineState::AwaitingHuman { .. } => "awaiting_human",
        PipelineState::Blocked { attempt, .. } => match attempt.step {
            Step::Landing { .. } => "blocked: landing",
            _ => "blocked",
        },
        PipelineState::Paused { .. } => "paused",
        PipelineState::Succeeded { .. } => "succeeded",
        PipelineState::Failed { .. } => "failed",
        PipelineState::Cancelled { .. } => "cancelled",
    }
}

/// What moved a pipeline: reports say so themselves, and the people of a simulation are called after what they ask.
pub(super) fn input_of(step: &WrittenStep) -> &'static str {
    let source = step.input.split('/').next().unwrap_or_default();
    match source {
        "timer" => "timer_fired",
        "letter" => "letter",
        "stranded" => "stranded",
        "job" | "expire" => {
            let retried = |event: &EventKind| matches!(event, EventKind::JobRetried { .. });
            let failed = |event: &EventKind| matches!(event, EventKind::JobFailed { .. });
            match step.events.first() {
                Some(event) if retried(event) => "job_retried",
                Some(event) if failed(event) => "job_failed",
                _ => "job_done",
            }
        }
        // What nobody looked at is approved in nobody's name.
        "person" if step.actor == Actor::Engine => "resolve",
        _ => person_of(&step.actor.to_string()),
    }
}

fn person_of(name: &str) -> &'static str {
    let known = ["start", "pause", "resume", "cancel", "resolve", "retry", "restart_stage"];
    known.into_iter().find(|known| *known == name).unwrap_or("other")
}

/// What a person of a simulation is called.
pub(super) fn called(input: InputTag) -> String {
    input.to_string()
}
