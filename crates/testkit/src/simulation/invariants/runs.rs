//! A run ends once, and its result counts once.

use domain::{job::JobStateTag, pipeline::EventKind, run::Run};
use ports::Step;

use super::{Broken, Watch, broken};
use crate::store_model::Model;

impl Watch {
    /// A run was recorded by itself, not with a step.
    pub(in crate::simulation) fn run_saved_alone(&self, model: &Model, run: &Run) {
        let state = JobStateTag::from(&model.jobs[&run.job].state);
        let is_live = matches!(state, JobStateTag::Queued | JobStateTag::Running);
        if run.ended_at.is_some() && is_live {
            let what = format!("{} of a job that is {state}", run.id);
            self.record.violate("a run ends with the report of its job", what);
        }
        let has_reported = matches!(state, JobStateTag::Done | JobStateTag::Failed);
        if run.ended_at.is_none() && has_reported && self.seen().runs.insert(run.id) {
            let what = format!("{} of a job that is {state}", run.id);
            self.record.violate("a job that has ended starts nothing", what);
        }
        self.seen().runs.insert(run.id);
    }

    /// A run was recorded, or its end.
    pub(in crate::simulation) fn run_saved(&self, model: &Model, run: &Run) {
        let mut seen = self.seen();
        if let Some(ended) = seen.ended_runs.get(&run.id).filter(|ended| *ended != run) {
            let what = format!("{} ended {:?}, now {:?}", run.id, ended.outcome, run.outcome);
            self.record.violate("a run ends once", what);
        }
        if run.ended_at.is_some() {
            seen.ended_runs.insert(run.id, run.clone());
        }
        let open = model.runs.values().filter(|it| it.job == run.job && it.ended_at.is_none());
        if open.count() > 1 {
            self.record.violate("one run of a job at a time", format!("{run:?} beside another"));
        }
    }

    /// The result of a run is counted once, and never that of another run of the same job.
    pub(super) fn results_count_once(&self, step: &Step) -> Result<(), Broken> {
        let mut seen = self.seen();
        for event in &step.events {
            if let EventKind::AgentFinished { run, .. } = event
                && !seen.counted_runs.insert(*run)
            {
                return broken("a result counts once", run.to_string());
            }
        }
        Ok(())
    }
}

/// The run that a result is counted of has ended with it.
pub(super) fn results_end_their_runs(model: &Model, step: &Step) -> Result<(), Broken> {
    for event in &step.events {
        if let EventKind::AgentFinished { run, .. } = event
            && model.runs.get(run).is_none_or(|run| run.ended_at.is_none())
        {
            return broken("a result ends its run", run.to_string());
        }
    }
    Ok(())
}
