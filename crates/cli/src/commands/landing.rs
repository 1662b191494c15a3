//! Landings of which nobody knows how they ended.

use domain::pipeline::{Pipeline, PipelineState, Step};

use crate::{called::quoted, output};

/// Whether a pipeline waits for a person because its landing was given up: nobody knows what became of that.
pub(crate) fn is_in_doubt(state: &PipelineState) -> bool {
    match state {
        PipelineState::Blocked { attempt, .. } => matches!(attempt.step, Step::Landing { .. }),
        PipelineState::Paused { inner } => is_in_doubt(inner),
        PipelineState::Queued
        | PipelineState::Running { .. }
        | PipelineState::AwaitingHuman { .. }
        | PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => false,
    }
}

/// Says that the target of a pipeline which was given up meanwhile may hold its work, and how to look.
pub(crate) fn warn(pipeline: &Pipeline) {
    output::warn(format_args!(
        "`{0}` may hold a merge of {1} all the same: `git log {2} --grep {3}` shows it",
        pipeline.target,
        pipeline.item.key,
        quoted(pipeline.target.as_str()),
        pipeline.id
    ));
}
