//! What is seen of a pipeline beside its state: who works on it, whether its agent lives, what it waits for.

use std::collections::BTreeMap;

use api::PipelineView;
use domain::{
    id::{JobId, PipelineId, RunId},
    job::{Job, JobStateTag},
    pipeline::Pipeline,
};
use jiff::Timestamp;
use ports::{JobFilter, Store as _};

use crate::{
    commands::{
        attendance::{self, Attendance},
        data::Opened,
        holds::{self, Holds},
    },
    error::CliError,
};

/// What is at work and what waits.
pub(super) struct Seen<'a> {
    data: &'a Opened,
    /// Queued and running jobs, of whose pipelines was asked.
    pub(super) jobs: Vec<Job>,
    pub(super) attendance: Attendance,
    pub(super) holds: Holds,
}

/// What is seen of one pipeline.
pub(super) struct Own {
    /// Its queued and running jobs.
    pub(super) jobs: Vec<Job>,
    /// Those of its agents that were looked for, and whether each lives.
    pub(super) agents: BTreeMap<JobId, (RunId, bool)>,
}

impl<'a> Seen<'a> {
    /// Looks at one pipeline, or at all: for several of them, or where others may stand in the way.
    pub(super) async fn look(
        data: &'a Opened,
        pipeline: Option<PipelineId>,
    ) -> Result<Self, CliError> {
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let jobs = data.store.list_jobs(&JobFilter { pipeline, states }).await?;
        let attendance = Attendance::of(data, &jobs);
        let holds = Holds::load(&*data.store, &data.loaded).await?;
        Ok(Self { data, jobs, attendance, holds })
    }

    /// What of it belongs to one pipeline.
    pub(super) async fn own(&self, pipeline: &Pipeline) -> Result<Own, CliError> {
        let jobs = self.jobs.iter().filter(|job| job.pipeline == pipeline.id);
        let jobs: Vec<Job> = jobs.cloned().collect();
        let agents = attendance::agents(self.data, &jobs).await?;
        Ok(Own { jobs, agents })
    }

    /// The view of a pipeline, with what was seen.
    pub(super) async fn add_to(
        &self,
        view: PipelineView,
        pipeline: &Pipeline,
    ) -> Result<PipelineView, CliError> {
        Ok(self.add(view, pipeline, &self.own(pipeline).await?))
    }

    /// The same, for whoever has looked at what belongs to it.
    pub(super) fn add(&self, view: PipelineView, pipeline: &Pipeline, own: &Own) -> PipelineView {
        let hold = holds::find_hold(pipeline, &own.jobs, &self.holds, Timestamp::now());
        let lives = own.agents.values().map(|(_, lives)| *lives);
        PipelineView {
            at_work: self.attendance.is_at_work(pipeline, &own.jobs),
            agent_lives: lives.reduce(|one, other| one || other),
            goes_on_at: hold.as_ref().and_then(|it| it.until),
            waits_for: hold.map(|it| it.breaker),
            ..view
        }
    }
}
