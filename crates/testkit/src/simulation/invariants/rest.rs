//! Something moves what has not ended, and what has ended has left nothing behind.

use domain::{
    decision::DecisionState,
    id::{DecisionId, PipelineId},
    job::{Job, JobState, Work},
    pipeline::PipelineState,
};

use super::{Broken, broken};
use crate::{simulation::coverage, store_model::Model};

/// What has ended has left nothing behind, and what has not has something that will move it.
pub(in crate::simulation) fn rests_on_something(
    model: &Model,
    id: PipelineId,
) -> Result<(), Broken> {
    let pipeline = &model.pipelines[&id];
    let live: Vec<&Job> = model
        .jobs
        .values()
        .filter(|job| job.pipeline == id && job.slot.work != Work::Cleanup)
        .filter(|job| matches!(job.state, JobState::Queued { .. } | JobState::Running { .. }))
        .collect();
    let asked = model.decisions.values().filter(|decision| decision.pipeline == id);
    let open: Vec<DecisionId> = asked
        .filter(|decision| decision.state == DecisionState::Open)
        .map(|decision| decision.id)
        .collect();
    if open != pipeline.state.decision().into_iter().collect::<Vec<_>>() {
        let what = format!("{id} is {}, open is {open:?}", coverage::label(&pipeline.state));
        return broken("the question that is open is the one that is waited for", what);
    }
    let state = match &pipeline.state {
        PipelineState::Paused { inner } => inner,
        state => state,
    };
    match state {
        PipelineState::Running { .. } => {
            if live.iter().any(|job| job.slot.epoch == pipeline.epoch) {
                Ok(())
            } else {
                broken("something moves every pipeline", format!("nothing moves {id}: {state:?}"))
            }
        }
        state if state.is_terminal() => {
            let armed = model.timers.keys().any(|(owner, _)| *owner == id);
            let leased = model.merge_leases.values().any(|(holder, _)| *holder == id);
            if live.is_empty() && !armed && !leased {
                return Ok(());
            }
            let what = format!("{id}: {} jobs, timer {armed}, lease {leased}", live.len());
            broken("an end leaves nothing behind", what)
        }
        _ => Ok(()),
    }
}
