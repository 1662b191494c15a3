//! What led to where a pipeline is.

use super::Depth;
use crate::{
    pipeline::{Event, EventKind},
    verdict::VerdictOutcome,
};

/// Lines that are told unless somebody wants all of them.
const LINES_MAX: usize = 8;

/// The events that led here, newest first. Each follows from the next one.
pub(super) fn chain(events: &[Event], depth: Depth) -> Vec<Event> {
    let causes = events.iter().rev().filter(|event| leads_on(&event.kind));
    if depth == Depth::Whole {
        return causes.cloned().collect();
    }
    let mut chain: Vec<Event> = Vec::new();
    for event in causes {
        // The same job failing again and again is one cause: the last time tells it.
        let again = chain.last().is_some_and(|last| is_the_same_retry(&last.kind, &event.kind));
        if again {
            continue;
        }
        let ends = went_well(&event.kind);
        chain.push(event.clone());
        if ends || chain.len() == LINES_MAX {
            break;
        }
    }
    chain
}

/// Whether something follows from it; the rest is how it was done.
const fn leads_on(kind: &EventKind) -> bool {
    match kind {
        EventKind::Started
        | EventKind::StageEntered { .. }
        | EventKind::JobRetried { .. }
        | EventKind::JobFailed { .. }
        | EventKind::BreakerOpened { .. }
        | EventKind::Stranded { .. }
        | EventKind::SentBack { .. }
        | EventKind::StagePassed { .. }
        | EventKind::DecisionOpened { .. }
        | EventKind::DecisionResolved { .. }
        | EventKind::TargetMoved { .. }
        | EventKind::MergedBefore { .. }
        | EventKind::Blocked { .. }
        | EventKind::Paused
        | EventKind::Resumed
        | EventKind::Restarted { .. }
        | EventKind::Succeeded { .. }
        | EventKind::Failed { .. }
        | EventKind::Cancelled { .. } => true,
        EventKind::GateJudged { outcome, .. } => !matches!(outcome, VerdictOutcome::Pass),
        EventKind::Opened { .. }
        | EventKind::AgentsRequested { .. }
        | EventKind::AgentFinished { .. }
        | EventKind::Joined { .. }
        | EventKind::DecisionWithdrawn { .. }
        | EventKind::Integrated { .. }
        | EventKind::LetterRetried { .. }
        | EventKind::LetterDied { .. }
        | EventKind::LetterDropped { .. }
        | EventKind::CleanedUp => false,
    }
}

/// Whether the pipeline was where it should be then: nothing before it explains what came after.
const fn went_well(kind: &EventKind) -> bool {
    matches!(kind, EventKind::StagePassed { .. } | EventKind::Started)
}

fn is_the_same_retry(later: &EventKind, earlier: &EventKind) -> bool {
    match (later, earlier) {
        (
            EventKind::JobRetried { stage, work, .. },
            EventKind::JobRetried { stage: stage_before, work: work_before, .. },
        ) => stage == stage_before && work == work_before,
        _ => false,
    }
}
