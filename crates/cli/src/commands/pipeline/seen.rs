//! What is seen of a pipeline beside its state: who works on it, whether its agent lives, what it waits for.

use api::{BreakerView, PipelineView};
use domain::{
    id::PipelineId,
    job::{Job, JobStateTag},
    pipeline::Pipeline,
};
use ports::{JobFilter, Store as _};

use crate::{
    commands::{
        attendance::{self, Attendance},
        data::Opened,
        holds,
    },
    error::CliError,
};

/// What is at work and what waits.
pub(super) struct Seen<'a> {
    data: &'a Opened,
    /// The queued and running jobs.
    jobs: Vec<Job>,
    attendance: Attendance,
    breakers: Vec<BreakerView>,
}

impl<'a> Seen<'a> {
    /// Looks, at one pipeline or at all of them.
    pub(super) async fn look(
        data: &'a Opened,
        pipeline: Option<PipelineId>,
    ) -> Result<Self, CliError> {
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let jobs = data.store.list_jobs(&JobFilter { pipeline, states }).await?;
        let attendance = Attendance::of(data, &jobs);
        let breakers = holds::load(&*data.store, &holds::guards(&data.loaded)).await?;
        Ok(Self { data, jobs, attendance, breakers })
    }

    /// The view of a pipeline, with what was seen.
    pub(super) async fn add_to(
        &self,
        view: PipelineView,
        pipeline: &Pipeline,
    ) -> Result<PipelineView, CliError> {
        let own = self.jobs.iter().filter(|job| job.pipeline == pipeline.id);
        let own: Vec<Job> = own.cloned().collect();
        let agents = attendance::agents(self.data, &own).await?;
        let hold = holds::find_hold(pipeline, &own, &self.breakers);
        Ok(PipelineView {
            at_work: self.attendance.is_at_work(pipeline, &own),
            agent_lives: agents.values().map(|(_, lives)| *lives).reduce(|one, other| one || other),
            waits_for: hold.map(|it| it.breaker.clone()),
            goes_on_at: hold.and_then(|it| it.until),
            ..view
        })
    }
}
