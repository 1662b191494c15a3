//! Takes back what dead workers held.

use domain::{
    failure::{Failure, FailureClass},
    job::{Job, JobInput, JobKind, JobNext, JobState, JobStateTag, Lease},
    pipeline::{Actor, Input},
    run::Run,
    usage::Usage,
};
use futures::future::join_all;
use ports::{JobFilter, JobUpdate, SandboxStatus};

use crate::{Cause, Engine, EngineError, JobReport, Outcome, Tenancy, apply::job_update, chain};

/// Jobs that are taken back at the same time: the store commits them together.
const TAKEN_BACK_TOGETHER: usize = 64;

/// What the agent of a job that is taken back has left.
#[derive(Clone, Debug)]
enum Leftover {
    /// Nothing: it was never launched, or is no agent's.
    Nothing,
    /// It is at work.
    AtWork,
    /// Nobody can say whether it is at work.
    Unknown,
    /// It has ended, and its run has not: whoever took up what it left has died of that, or before it.
    Result(Box<Run>),
    /// It is gone without a result.
    Gone(Box<Run>),
}

/// Why a job that runs is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Its process is gone, whatever its lease says.
    ProcessGone,
    /// It is this process's, which does not work on it any more: what came of it could not be written down.
    GivenUp,
    /// Nobody has renewed its lease. Its worker may be alive all the same, and may renew it at this very moment.
    LeaseOver,
}

impl Engine {
    /// Takes back what dead workers held, for the start. Returns how many jobs there were.
    ///
    /// Alone, that is everything that others hold: the lock on the data directory proves that no other process is
    /// alive. Where others may be, it is what their leases do not cover any more.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        self.park_damaged().await?;
        match self.options.tenancy {
            Tenancy::Alone => {
                self.take_back(|job, lease| {
                    if lease.owner == self.options.owner {
                        self.has_given_up(job, lease).then_some(Loss::GivenUp)
                    } else {
                        Some(Loss::ProcessGone)
                    }
                })
                .await
            }
            Tenancy::Shared => self.reap().await,
        }
    }

    /// Takes back every job whose lease is over, of whatever kind and whoever's it was, and what this process holds
    /// without working on it: its report could not be told.
    pub(crate) async fn reap(&self) -> Result<usize, EngineError> {
        let now = self.ports.clock.now();
        self.take_back(|job, lease| {
            if self.has_given_up(job, lease) {
                Some(Loss::GivenUp)
            } else {
                (lease.expires_at <= now).then_some(Loss::LeaseOver)
            }
        })
        .await
    }

    async fn take_back(
        &self,
        loss: impl Fn(&Job, &Lease) -> Option<Loss>,
    ) -> Result<usize, EngineError> {
        let filter = JobFilter { pipeline: None, states: vec![JobStateTag::Running] };
        let running = self.ports.store.list_jobs(&filter).await?;
        let with_loss = |job: Job| match &job.state {
            JobState::Running { lease } => loss(&job, lease).map(|loss| (job, loss)),
            _ => None,
        };
        let orphaned: Vec<(Job, Loss)> = running.into_iter().filter_map(with_loss).collect();
        let mut taken = 0;
        for some in orphaned.chunks(TAKEN_BACK_TOGETHER) {
            let attempts = some.iter().map(|(job, loss)| self.take_back_one(job, *loss));
            for was_taken in join_all(attempts).await {
                taken += usize::from(was_taken?);
            }
        }
        Ok(taken)
    }

    /// Takes a job back, unless its pipeline is damaged: the others go on.
    async fn take_back_one(&self, job: &Job, loss: Loss) -> Result<bool, EngineError> {
        if self.is_parked(job.pipeline) {
            return Ok(false);
        }
        match self.expire(job, loss).await {
            Err(error) if error.is_damage() => {
                self.park(job.pipeline, &error).await;
                Ok(false)
            }
            result => result,
        }
    }

    fn has_given_up(&self, job: &Job, lease: &Lease) -> bool {
        let under_way = || self.running.lock().expect("no holder panics").contains_key(&job.id);
        lease.owner == self.options.owner && !under_way()
    }

    /// Takes a job back, unless somebody was faster. Says whether it was taken.
    async fn expire(&self, job: &Job, loss: Loss) -> Result<bool, EngineError> {
        let left = self.look_at_leftover(job).await?;
        // An agent outlives us under its shim and is taken up again, which is no loss. Anything else begins anew, or at
        // the end of the agent: a job that ends the orchestrator each time must not do so for ever.
        let job_input = match &left {
            Leftover::AtWork | Leftover::Unknown => JobInput::Release { token: job.claims },
            Leftover::Nothing | Leftover::Gone(_) | Leftover::Result(_) => JobInput::Expire,
        };
        let now = self.ports.clock.now();
        let expired_by = (loss == Loss::LeaseOver).then_some(now);
        let update = JobUpdate { expired_by, ..job_update(job, &job_input, now)? };
        let (slot, usage) = (job.slot.clone(), Usage::default());
        let is_over = !matches!(update.next.state, JobState::Queued { .. });
        let failure =
            Failure::new(FailureClass::Lost, self.why_taken_back(job, loss, &left, is_over));
        let input = if is_over {
            Input::JobFailed { slot, failure, usage }
        } else {
            Input::JobRetried { slot, failure, usage }
        };
        let cause = Cause {
            actor: Actor::Engine,
            key: format!("expire/{}/{}", job.id, job.claims),
            job: Some(JobReport { job: job.clone(), input: job_input, expired_by }),
            run: left.counted(),
            fired: None,
        };
        match self.apply(job.pipeline, &input, &cause).await {
            Ok(outcome) => Ok(matches!(outcome, Outcome::Moved(_))),
            // Nobody waits for it.
            Err(EngineError::Refused(_)) => Ok(self.ports.store.settle_job(&update).await?),
            Err(error) if error.is_damage() => {
                if self.park(job.pipeline, &error).await {
                    // It stays as it is, until somebody has mended the row.
                    return Ok(false);
                }
                // Nobody can say what is wrong, nor wait for it: others must not either.
                let next = JobNext { state: JobState::Failed, budget: job.budget };
                Ok(self.ports.store.settle_job(&JobUpdate { next, ..update }).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the job's agent is still there, or its result.
    async fn look_at_leftover(&self, job: &Job) -> Result<Leftover, EngineError> {
        if job.slot.work.kind() != JobKind::Agent {
            return Ok(Leftover::Nothing);
        }
        let Some(run) = self.ports.store.find_open_run(job.id).await? else {
            return Ok(Leftover::Nothing);
        };
        let status = self.ports.sandbox.status(&self.layout.agent_sandbox(run.id)).await;
        Ok(match status {
            Ok(SandboxStatus::Running) => Leftover::AtWork,
            Ok(SandboxStatus::Ended(_)) => Leftover::Result(Box::new(run)),
            Ok(SandboxStatus::Vanished) => Leftover::Gone(Box::new(run)),
            Ok(SandboxStatus::Absent) => Leftover::Nothing,
            // It may be at work, and says so when its turn comes. One that cannot be looked at keeps no other waiting.
            Err(error) => {
                tracing::warn!(run.id = %run.id, "could not look at an agent: {}", chain(&error));
                Leftover::Unknown
            }
        })
    }

    /// What happened, for a person who reads the log of a pipeline, or who is asked.
    fn why_taken_back(&self, job: &Job, loss: Loss, left: &Leftover, is_over: bool) -> String {
        let what = match loss {
            Loss::ProcessGone => "the orchestrator ended",
            Loss::GivenUp => "what came of it could not be written down",
            Loss::LeaseOver => "its worker did not renew its lease",
        };
        // Each time was a loss of its own kind.
        let times = job.budget.lost + 1;
        match left {
            Leftover::AtWork => {
                format!("{what}; its agent is still at work and is taken up again")
            }
            Leftover::Unknown => format!(
                "{what}; whether its agent is at work could not be looked at, which is done again"
            ),
            Leftover::Result(run) if is_over => format!(
                "its worker was lost {times} times in a row, and what {} of agent `{}` left was not taken up: look at its log in {}, and at the orchestrator's own, before you try again",
                run.id,
                run.agent,
                self.layout.agent_sandbox(run.id)
            ),
            Leftover::Result(_) => {
                format!("{what}; its agent has ended, and what it left is taken up")
            }
            Leftover::Nothing | Leftover::Gone(_) if is_over => format!(
                "the worker of {} was lost {times} times in a row: look at the orchestrator's log before you try again",
                job.slot.work
            ),
            // Who answers it lives on under its supervisor, or does not: whoever asks again finds out.
            Leftover::Nothing if job.slot.work.kind() == JobKind::Gate => {
                format!("{what}, and it is asked again: an answer that is under way is waited for")
            }
            Leftover::Nothing | Leftover::Gone(_) => format!("{what}, and it begins anew"),
        }
    }
}

impl Leftover {
    /// The run whose loss is counted with that of its worker. It stays open, so that what it left is still kept before
    /// anybody works in its place.
    fn counted(self) -> Option<Run> {
        match self {
            Self::Result(run) | Self::Gone(run) => Some(Run { loss_counted: true, ..*run }),
            Self::Nothing | Self::AtWork | Self::Unknown => None,
        }
    }
}
