//! Brings what came of a job back through the door.

use domain::{
    failure::{Failure, FailureClass},
    id::PipelineId,
    job::{Job, JobInput, JobState},
    pipeline::{Actor, Input},
    run::Run,
    usage::Usage,
};
use jiff::SignedDuration;

use super::Refusals;
use crate::{
    Cause, Engine, EngineError, JobReport, Outcome,
    apply::job_update,
    chain,
    jobs::{Ending, Performed},
};

/// How long to wait before telling the store again what it would not hear.
pub(crate) const STORE_RETRY: SignedDuration = SignedDuration::from_secs(1);
/// How often to try: the disk may be full for a while, and the result is worth waiting for.
pub(crate) const STORE_TRIES: u32 = 30;

impl Engine {
    /// Reports, and reports again while the store is unwell. What cannot be told in the end is not lost: the job is
    /// taken back with the next heartbeat or at the next start, and finds the same result.
    pub(crate) async fn report(&self, job: &Job, performed: Performed) {
        let mut refusals = Refusals::default();
        while !refusals.are_too_many() {
            match self.try_report(job, &performed).await {
                Ok(()) => {
                    if let Some(count) = refusals.over() {
                        tracing::warn!(job.id = %job.id, "reported {} after {count} tries that failed", job.slot.work);
                    }
                    return;
                }
                // It stays under its lease, for whoever takes it up once the row is mended.
                Err(error) if error.is_damage() => {
                    self.park(job.pipeline, &error).await;
                    return;
                }
                // The loop meets it as well.
                Err(error) if error.is_of_an_unusable_store() => return,
                Err(error @ (EngineError::Store(_) | EngineError::Git(_))) => {
                    if refusals.one_more() {
                        tracing::error!(job.id = %job.id, "could not report {}: {}", job.slot.work, chain(&error));
                    }
                    let again = self.ports.clock.now().saturating_add(STORE_RETRY);
                    self.ports.clock.sleep_until(again.unwrap_or(jiff::Timestamp::MAX)).await;
                }
                Err(error) => {
                    tracing::error!(job.id = %job.id, "could not report {}: {}", job.slot.work, chain(&error));
                    return;
                }
            }
        }
    }

    async fn try_report(&self, job: &Job, performed: &Performed) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        let (token, slot) = (job.claims, job.slot.clone());
        let (input, job_input) = match &performed.ending {
            Ending::Abandoned => return Ok(()),
            Ending::Report(report) => {
                (Input::JobDone { slot, report: report.clone() }, JobInput::Complete { token })
            }
            Ending::Released { reason } => {
                let failure = Failure::new(FailureClass::Lost, reason.clone());
                (
                    Input::JobRetried { slot, failure, usage: performed.usage() },
                    JobInput::Release { token },
                )
            }
            Ending::Failed { failure } => {
                let failure = self.as_counted(job, performed.run.as_ref(), failure);
                let job_input =
                    JobInput::Fail { token, failure: failure.clone(), jitter: self.jitter() };
                let usage = performed.usage();
                let input = match job_update(job, &job_input, now)?.next.state {
                    JobState::Queued { .. } => Input::JobRetried { slot, failure, usage },
                    _ => Input::JobFailed { slot, failure, usage },
                };
                (input, job_input)
            }
        };
        let cause = Cause {
            actor: Actor::Job { job: job.id },
            key: format!("job/{}/{token}", job.id),
            job: Some(JobReport { job: job.clone(), input: job_input, expired_by: None }),
            run: performed.run.clone(),
            fired: None,
        };
        match self.apply(job.pipeline, &input, &cause).await {
            Ok(Outcome::Moved(pipeline)) => {
                if pipeline.epoch > job.slot.epoch {
                    self.stop_left_behind(job.pipeline).await;
                }
                Ok(())
            }
            Ok(Outcome::Duplicate) => Ok(()),
            Ok(Outcome::Fenced) => self.end_run_of_nobody(performed.run.as_ref()).await,
            // Where the pipeline waits for this job all the same, it must not wait for ever.
            Err(EngineError::Refused(refusal)) if matches!(performed.ending, Ending::Report(_)) => {
                let failure = Failure::new(
                    FailureClass::Permanent,
                    format!("the report of {} cannot be taken: {refusal}", job.slot.work),
                );
                let run = performed.run.clone();
                let failed = Performed { ending: Ending::Failed { failure }, run };
                Box::pin(self.try_report(job, &failed)).await
            }
            Err(EngineError::Refused(refusal)) => {
                // The pipeline does not wait for this: the job ends all the same.
                tracing::debug!(job.id = %job.id, "the report of {} changed nothing: {refusal}", job.slot.work);
                let update = job_update(job, &JobInput::Complete { token }, now)?;
                self.ports.store.settle_job(&update).await?;
                self.end_run_of_nobody(performed.run.as_ref()).await
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the run of a job that was taken away from us, where the job has ended: nobody else would. Whoever has one that
    /// goes on goes on with its run.
    async fn end_run_of_nobody(&self, run: Option<&Run>) -> Result<(), EngineError> {
        if let Some(run) = run {
            self.ports.store.settle_run(run).await?;
        }
        Ok(())
    }

    /// Stops agents that a step has left behind and that no task of this process follows: those of the engine before.
    async fn stop_left_behind(&self, pipeline: PipelineId) {
        if let Err(error) = self.stop_orphans(pipeline).await {
            tracing::error!(pipeline.id = %pipeline, "could not stop an agent: {}", chain(&error));
        }
    }
}

impl Performed {
    fn usage(&self) -> Usage {
        self.run.as_ref().map_or_else(Usage::default, |run: &Run| run.usage)
    }
}
