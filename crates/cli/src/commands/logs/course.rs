//! Who may still write to a log that is followed?

use domain::{job::JobStateTag, pipeline::PipelineState, run::Run};
use ports::{JobFilter, Store as _, StoreError};

use crate::{
    called::gatewright,
    commands::{attendance::Attendance, data::Opened},
    error::CliError,
};

/// What may still come of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Its agent is followed by a process that is alive.
    GoesOn,
    /// Nobody follows it, although its pipeline has not ended: in words, with the command that goes on.
    NobodyAtWork(String),
    /// It has ended.
    Ended,
    /// Its end is not recorded and never will be: its pipeline is over, in words.
    Over(String),
}

/// Looks where a run stands.
pub(super) async fn look(data: &Opened, run: &Run) -> Result<Course, CliError> {
    let now = data.store.find_run(run.id).await?;
    if now.is_none_or(|it| it.ended_at.is_some()) {
        return Ok(Course::Ended);
    }
    let pipeline = match data.store.find_pipeline(run.pipeline).await {
        Ok(Some(pipeline)) => pipeline,
        Ok(None) => return Ok(Course::Ended),
        Err(error @ StoreError::Inconsistent { .. }) => return Ok(Course::Over(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let key = &pipeline.item.key;
    let is_running = match pipeline.state {
        PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => {
            let words = format!("{key} has ended, and the end of this run is not recorded");
            return Ok(Course::Over(words));
        }
        PipelineState::Running { .. } => true,
        PipelineState::Queued
        | PipelineState::AwaitingHuman { .. }
        | PipelineState::Blocked { .. }
        | PipelineState::Paused { .. } => false,
    };
    let jobs = JobFilter { pipeline: Some(pipeline.id), states: vec![JobStateTag::Running] };
    let attendance = Attendance::of(data, &data.store.list_jobs(&jobs).await?);
    if is_running && attendance.holder.is_some() {
        return Ok(Course::GoesOn);
    }
    Ok(Course::NobodyAtWork(format!(
        "nobody is at work on {key}: `{} run --resume {key}` goes on; what its agent prints meanwhile is shown",
        gatewright()
    )))
}
