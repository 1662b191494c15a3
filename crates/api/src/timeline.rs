//! Reads the attempts of stages out of the log of events.

mod fold;
#[cfg(test)]
mod tests;

use domain::{
    name::{GateName, RoleName, StageName},
    pipeline::{AttemptState, Event, EventKind},
    verdict::VerdictOutcome,
};
use fold::Fold;
use jiff::Timestamp;
use serde::Serialize;

use crate::FindingView;

/// What a gate answered in an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateAnswerView {
    /// The gate.
    pub gate: GateName,
    /// The answer.
    pub outcome: VerdictOutcome,
    /// One sentence.
    pub summary: String,
}

/// One try of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// The stage.
    pub stage: StageName,
    /// Which try, from 1.
    pub attempt: u32,
    /// What it is doing, or how it ended.
    pub state: AttemptState,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The roles that were asked to work in it.
    pub roles: Vec<RoleName>,
    /// What its gates answered, in order.
    pub gates: Vec<GateAnswerView>,
    /// The stage that the work went to in order to be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_back_to: Option<StageName>,
    /// The gate, the check or the person that sent it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_back_by: Option<String>,
    /// What was to be mended.
    pub findings: Vec<FindingView>,
}

/// The attempts of stages, in the order in which they were begun. `events` are those of one pipeline, in order.
#[must_use]
pub fn timeline(events: &[Event]) -> Vec<StageView> {
    let mut fold = Fold::default();
    for event in events {
        fold.add(event);
    }
    fold.attempts
}

/// How often work was sent back to be mended.
#[must_use]
pub fn sent_back(events: &[Event]) -> u32 {
    let count = events.iter().filter(|event| matches!(event.kind, EventKind::SentBack { .. }));
    u32::try_from(count.count()).unwrap_or(u32::MAX)
}
