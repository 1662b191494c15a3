//! No timer is forgotten, and none fires before its time.

use domain::pipeline::{PipelineState, TimerKey};
use ports::{Step, TimerChange};

use super::{Before, Broken, Watch, broken};
use crate::store_model::Model;

impl Watch {
    /// Whoever has a wall time has its timer, until it has fired.
    pub(super) fn timers_are_not_forgotten(
        &self,
        model: &Model,
        step: &Step,
    ) -> Result<(), Broken> {
        let id = step.pipeline.id;
        let timer = TimerKey::WallTime;
        let mut seen = self.seen();
        if step.timers.iter().any(|change| matches!(change, TimerChange::Arm { .. })) {
            seen.dropped_timers.remove(&(id, timer));
        }
        let definition = &model.definitions[&step.pipeline.definition];
        let state = match &step.pipeline.state {
            PipelineState::Paused { inner } => inner,
            state => state,
        };
        let needs_it =
            matches!(state, PipelineState::Running { .. } | PipelineState::AwaitingHuman { .. })
                && definition.limits.wall_time.is_some();
        let has_it = model.timers.contains_key(&(id, timer));
        if needs_it && !has_it && !seen.dropped_timers.contains(&(id, timer)) {
            return broken("no timer is forgotten", format!("{id} has no wall time any more"));
        }
        Ok(())
    }
}

pub(super) fn timers_fire_when_they_are_due(step: &Step, before: &Before) -> Result<(), Broken> {
    for change in &step.timers {
        let TimerChange::Fired { timer } = change else { continue };
        if before.timers.get(timer).is_none_or(|at| *at > step.at) {
            let what = format!("{timer} of {} at {}", step.pipeline.id, step.at);
            return broken("a timer fires once, and not before its time", what);
        }
    }
    Ok(())
}
