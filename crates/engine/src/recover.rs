//! Takes back what dead workers held.

use domain::{
    failure::{Failure, FailureClass},
    job::{Job, JobInput, JobKind, JobState, JobStateTag},
    pipeline::{Actor, Input},
    usage::Usage,
};
use ports::{JobFilter, SandboxStatus};

use crate::{Cause, Engine, EngineError, apply::job_update, worker::chain};

impl Engine {
    /// Gives every running job that nobody works on back to the queue. For the start on one machine, where the lock
    /// on the data directory proves that no other process is alive. Returns how many there were.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        self.take_back(|owner| owner != self.options.owner).await
    }

    /// Gives back what this process has and nobody in it works on: its report could not be told.
    pub(crate) async fn take_back_own(&self) -> Result<usize, EngineError> {
        self.take_back(|_| false).await
    }

    async fn take_back(&self, is_dead: impl Fn(&str) -> bool) -> Result<usize, EngineError> {
        let filter = JobFilter { pipeline: None, states: vec![JobStateTag::Running] };
        let jobs = self.ports.store.list_jobs(&filter).await?;
        let is_lost = |job: &Job| match &job.state {
            JobState::Running { lease } => {
                is_dead(&lease.owner) || self.has_given_up(job, &lease.owner)
            }
            _ => false,
        };
        let lost: Vec<Job> = jobs.into_iter().filter(is_lost).collect();
        for job in &lost {
            match self.expire(job).await {
                Err(error) if error.is_damage() => {
                    tracing::error!(job.id = %job.id, "could not take back {}: {}", job.slot, chain(&error));
                }
                result => result?,
            }
        }
        Ok(lost.len())
    }

    fn has_given_up(&self, job: &Job, owner: &str) -> bool {
        let under_way = || self.running.lock().expect("no holder panics").contains_key(&job.id);
        owner == self.options.owner && !under_way()
    }

    async fn expire(&self, job: &Job) -> Result<(), EngineError> {
        let failure =
            Failure::new(FailureClass::Lost, "the orchestrator ended while it was at work");
        // An agent outlives us under its shim and is taken up again, which is no loss. Anything else begins anew: a
        // job that ends the orchestrator each time must not do so for ever.
        let job_input = if self.can_be_taken_up(job).await? {
            JobInput::Release { token: job.claims }
        } else {
            JobInput::Expire
        };
        let update = job_update(job, &job_input, self.ports.clock.now())?;
        let (slot, usage) = (job.slot.clone(), Usage::default());
        let input = match update.next.state {
            JobState::Queued { .. } => Input::JobRetried { slot, failure, usage },
            _ => Input::JobFailed { slot, failure, usage },
        };
        let cause = Cause {
            actor: Actor::Engine,
            key: format!("expire/{}/{}", job.id, job.claims),
            job: Some((job.clone(), job_input)),
            run: None,
            fired: None,
        };
        match self.apply(job.pipeline, &input, &cause).await {
            Ok(_) => Ok(()),
            // Nobody waits for it.
            Err(EngineError::Refused(_)) => {
                self.ports.store.settle_job(&update).await?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the job's agent is still there, or its result.
    async fn can_be_taken_up(&self, job: &Job) -> Result<bool, EngineError> {
        if job.slot.work.kind() != JobKind::Agent {
            return Ok(false);
        }
        let Some(run) = self.ports.store.find_open_run(job.id).await? else { return Ok(false) };
        let status = self.ports.sandbox.status(&self.layout.agent_sandbox(run.id)).await?;
        Ok(matches!(status, SandboxStatus::Running | SandboxStatus::Ended(_)))
    }
}
