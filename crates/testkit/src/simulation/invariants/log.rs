//! The log has no gap and tells what happened.

use domain::{
    pipeline::{Event, EventKind, PipelineState, Step as AttemptStep},
    verdict::VerdictOutcome,
};
use ports::Step;

use super::{Before, Broken, broken, events_of};
use crate::{simulation::coverage, store_model::Model};

pub(super) fn versions_rise_by_one(step: &Step, before: &Before) -> Result<(), Broken> {
    let (was, is) = (before.pipeline.version, step.pipeline.version);
    if is == was + 1 {
        Ok(())
    } else {
        broken("a version rises by one", format!("{was} became {is}"))
    }
}

pub(super) fn events_have_no_gap(
    model: &Model,
    step: &Step,
    before: &Before,
) -> Result<(), Broken> {
    let new = events_of(model, step.pipeline.id).filter(|event| event.number > before.last_event);
    let numbers: Vec<u64> = new.map(|event| event.number).collect();
    let first = before.last_event + 1;
    let expected: Vec<u64> = (first..first + step.events.len() as u64).collect();
    if step.events.is_empty() || numbers != expected {
        let what = format!("{}: {numbers:?} after {}", step.pipeline.id, before.last_event);
        return broken("every step is told, without a gap", what);
    }
    Ok(())
}

/// A stage is left only with a passing verdict of each of its gates about the very commit that it is left with.
pub(super) fn every_gate_was_passed(
    model: &Model,
    step: &Step,
    before: &Before,
) -> Result<(), Broken> {
    let integrating = |state: &PipelineState| {
        matches!(state.attempt().map(|it| &it.step), Some(AttemptStep::Integrating { .. }))
    };
    // The target holds the branch already: there is no merge to ask about.
    if integrating(&before.pipeline.state) {
        return Ok(());
    }
    for passed in &step.events {
        let EventKind::StagePassed { stage, attempt, commit } = passed else { continue };
        let definition = &model.definitions[&step.pipeline.definition];
        let Some(stage) = definition.find_stage(stage) else { continue };
        let entered = |event: &&Event| !matches!(&event.kind, EventKind::StageEntered { stage: it, attempt: number } if *it == stage.name && number == attempt);
        let since = events_of(model, step.pipeline.id).rev().take_while(entered);
        let judged: Vec<_> = since
            .filter_map(|event| match &event.kind {
                EventKind::GateJudged { gate, commit, outcome, .. } => {
                    Some((gate, commit, outcome))
                }
                _ => None,
            })
            .collect();
        for gate in &stage.gates {
            let passes = |(name, about, outcome): &(_, _, &VerdictOutcome)| {
                *name == &gate.name
                    && *about == commit
                    && matches!(outcome, VerdictOutcome::Pass | VerdictOutcome::Waived)
            };
            if !judged.iter().any(passes) {
                let what = format!("`{}` left with {commit} without `{}`", stage.name, gate.name);
                return broken("no stage is left without its gates", what);
            }
        }
    }
    Ok(())
}

/// What is told of a step is what has become of the pipeline.
pub(super) fn the_log_tells_the_state(step: &Step) -> Result<(), Broken> {
    let state = &step.pipeline.state;
    for event in &step.events {
        let told = match event {
            EventKind::Paused => matches!(state, PipelineState::Paused { .. }),
            EventKind::Resumed => !matches!(state, PipelineState::Paused { .. }),
            EventKind::Succeeded { .. } => matches!(state, PipelineState::Succeeded { .. }),
            EventKind::Failed { .. } => matches!(state, PipelineState::Failed { .. }),
            EventKind::Cancelled { .. } => matches!(state, PipelineState::Cancelled { .. }),
            EventKind::DecisionOpened { decision, .. } => state.decision() == Some(*decision),
            _ => true,
        };
        if !told {
            let what = format!("{event:?}, and it is {}", coverage::label(state));
            return broken("the log tells the state", what);
        }
    }
    Ok(())
}

/// No fault of our own shows up as a failure of the work.
pub(super) fn nothing_of_ours_breaks(step: &Step) -> Result<(), Broken> {
    for event in &step.events {
        if let EventKind::Stranded { stage } = event {
            let what = format!("{} was stranded in `{stage}`", step.pipeline.id);
            return broken("something moves every pipeline", what);
        }
        let (EventKind::JobFailed { failure, .. } | EventKind::JobRetried { failure, .. }) = event
        else {
            continue;
        };
        let ours = ["internal error", "is inconsistent"];
        if ours.iter().any(|words| failure.message.contains(words)) {
            return broken("nothing of ours breaks", failure.message.clone());
        }
    }
    Ok(())
}
