//! Stops agents whose job nobody has any more.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    failure::{Failure, FailureClass},
    id::{JobId, PipelineId},
    job::{Job, JobState},
    limits::JOB_LOST_MAX,
    name::RoleName,
    run::{Run, RunOutcome},
};
use jiff::Timestamp;
use ports::{JobFilter, SandboxStatus};
use tokio::task::JoinSet;

use crate::{
    Engine, EngineError, chain,
    jobs::JobError,
    worker::{STORE_RETRY, STORE_TRIES},
};

/// The look, before a process ends, for agents that nobody follows: done again while a disk is full or the store unwell.
#[derive(Debug, Default)]
pub(crate) struct LastLook {
    /// How often it was done since anything else moved.
    times: u32,
    /// When it is done again.
    again_at: Timestamp,
}

impl Engine {
    /// Stops every agent of a pipeline that is still at work for a job that has ended, keeps what it left, and closes
    /// its run. An agent of this process is stopped by the task that follows it; this is for those that another
    /// process left. One whose workspace somebody has is left to them. An error is the first of several, and keeps no
    /// other agent at work.
    ///
    /// Where taking up what an agent left has ended the process time and again, that is not tried on the side: only who
    /// is to work in its place, or to remove it, must. Their own jobs count how often that ends the process.
    pub(crate) async fn stop_orphans(&self, pipeline: PipelineId) -> Result<(), EngineError> {
        let mut result = Ok(());
        for (job, run) in self.list_orphans(pipeline).await? {
            if let Some(_turn) = self.workspaces.try_take(pipeline, &run.role)
                && !was_given_up(&job, &run)
            {
                result = first_error(result, self.stop_orphan_on_the_side(&job, run).await);
            }
        }
        result
    }

    /// Stops those whose workspace the caller has and is about to work in. What they left there is kept before, or an error
    /// says that there is no room for now; whatever else stands in the way of keeping it, hostile work maybe, keeps nobody
    /// from working.
    pub(crate) async fn make_way(
        &self,
        pipeline: PipelineId,
        held: &RoleName,
    ) -> Result<(), EngineError> {
        for (job, run) in self.list_orphans(pipeline).await? {
            if run.role == *held {
                self.stop_orphan(&job, &run).await?;
            }
        }
        Ok(())
    }

    /// Stops all, and waits for those that somebody else is about to stop: afterwards none is left. The caller has no
    /// workspace.
    pub(crate) async fn stop_all_orphans(&self, pipeline: PipelineId) -> Result<(), EngineError> {
        let mut result = Ok(());
        for (job, run) in self.list_orphans(pipeline).await? {
            let _turn = self.workspaces.take(pipeline, &run.role).await;
            result = first_error(result, self.stop_orphan(&job, &run).await);
        }
        result
    }

    /// Stops every agent whose job has ended and that nobody stopped: whoever ended the job died before. Beside the
    /// loop, since an agent may take its time.
    pub(crate) async fn stop_what_nobody_follows(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), EngineError> {
        let orphaned = self.ports.store.list_orphaned_runs().await?;
        let ours: BTreeSet<JobId> =
            self.running.lock().expect("no holder panics").keys().copied().collect();
        let left = orphaned.iter().filter(|run| !ours.contains(&run.job));
        let pipelines: BTreeSet<PipelineId> = left.map(|run| run.pipeline).collect();
        self.unkept.lock().expect("no holder panics").clear();
        for pipeline in pipelines {
            self.stop_orphans_beside(pipeline, tasks);
        }
        Ok(())
    }

    /// Does what of the last look is due. Returns when to look again, or nothing once it is over: nobody is left, or what is
    /// left is for a process that finds more room.
    pub(crate) async fn look_last(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        look: &mut LastLook,
    ) -> Result<Option<Timestamp>, EngineError> {
        let is_unkept = !self.unkept.lock().expect("no holder panics").is_empty();
        if look.times > 0 && (!is_unkept || look.times >= STORE_TRIES) {
            return Ok(None);
        }
        let now = self.ports.clock.now();
        if look.again_at <= now {
            self.stop_what_nobody_follows(tasks).await?;
            // Only now: a look that the store refused was none.
            *look = LastLook { times: look.times + 1, again_at: self.after(STORE_RETRY) };
            if tasks.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(look.again_at))
    }

    /// Stops the agents of a pipeline whose job has ended, beside the loop: they have their grace, and what they left is
    /// handed in.
    pub(crate) fn stop_orphans_beside(
        self: &Arc<Self>,
        pipeline: PipelineId,
        tasks: &mut JoinSet<()>,
    ) {
        let engine = Arc::clone(self);
        tasks.spawn(async move {
            if let Err(error) = engine.stop_orphans(pipeline).await {
                tracing::error!(pipeline.id = %pipeline, "could not stop an agent: {}", chain(&error));
                if error.may_pass() {
                    engine.unkept.lock().expect("no holder panics").insert(pipeline);
                }
            }
        });
    }

    /// Runs that have not ended, of jobs that have.
    pub(crate) async fn list_orphans(
        &self,
        pipeline: PipelineId,
    ) -> Result<Vec<(Job, Run)>, EngineError> {
        let mut runs = self.ports.store.list_runs(pipeline).await?;
        runs.retain(|run| run.ended_at.is_none());
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let filter = JobFilter { pipeline: Some(pipeline), states: Vec::new() };
        let jobs = self.ports.store.list_jobs(&filter).await?;
        let ours: BTreeSet<JobId> =
            self.running.lock().expect("no holder panics").keys().copied().collect();
        let orphan = |run: Run| {
            let job = jobs.iter().find(|job| job.id == run.job)?;
            (has_ended(job) && !ours.contains(&job.id)).then(|| (job.clone(), run))
        };
        Ok(runs.into_iter().filter_map(orphan).collect())
    }

    /// Stops an agent that nobody waits for, and counts how often that ends the process. An end that somebody has asked for
    /// does not count, however impatient they are.
    async fn stop_orphan_on_the_side(&self, job: &Job, run: Run) -> Result<(), EngineError> {
        let begun = Run { salvages: run.salvages + 1, ..run.clone() };
        let mut counting = Some(self.counting.read().await);
        if !self.ports.store.settle_run(&begun).await? {
            return Ok(());
        }
        let uncounted = async {
            self.told_to_stop().await;
            if let Err(error) = self.ports.store.settle_run(&run).await {
                tracing::error!(run.id = %run.id, "could not take back a count: {}", chain(&error));
            }
            drop(counting.take());
            std::future::pending().await
        };
        let stopped = tokio::select! {
            stopped = self.stop_orphan(job, &begun) => stopped,
            never = uncounted => never,
        };
        // Whatever came of it, the process is still there. Of a run that has ended nothing is written.
        self.ports.store.settle_run(&Run { salvages: 0, ..begun }).await?;
        stopped
    }

    async fn stop_orphan(&self, job: &Job, run: &Run) -> Result<(), EngineError> {
        // It may have ended in good order, or been stopped, since the list was read.
        let run = self.ports.store.find_run(run.id).await?;
        let Some(mut run) = run.filter(|run| run.ended_at.is_none()) else { return Ok(()) };
        let dir = self.layout.agent_sandbox(run.id);
        let status = self.ports.sandbox.status(&dir).await?;
        if status == SandboxStatus::Running {
            self.ports.sandbox.stop(&dir).await?;
            self.ports.sandbox.wait(&dir).await?;
        }
        if status == SandboxStatus::Absent {
            // Its order may have been written, with keys in it.
            self.ports.sandbox.remove(&dir).await?;
        } else if let Err(error) = self.salvage(job, &run).await {
            // The run stays open, and its workspace where it is: somebody who knows the agent tries again.
            return match error {
                _ if error.is_full_disk() => {
                    let reason = self.secrets().hide(&chain(&error));
                    Err(EngineError::NoRoomToKeep { run: run.id, reason })
                }
                JobError::Engine(error) if error.may_pass() => Err(error),
                error => {
                    let why = self.secrets().hide(&chain(&error));
                    tracing::warn!(run.id = %run.id, "could not salvage what the run left: {why}");
                    Ok(())
                }
            };
        }
        let failure =
            Failure::new(FailureClass::Lost, "it was stopped: the pipeline moved on without it");
        run.ended_at = Some(self.ports.clock.now());
        run.outcome = Some(RunOutcome::Failed { failure });
        run.salvages = 0;
        self.ports.store.settle_run(&run).await?;
        Ok(())
    }
}

/// Whether the process ended too often while it was at work on the job of a run, or on what is left of it: nobody takes
/// that up on the side any more.
#[must_use]
pub fn was_given_up(job: &Job, run: &Run) -> bool {
    (job.state == JobState::Failed && job.budget.lost > JOB_LOST_MAX) || run.salvages > JOB_LOST_MAX
}

/// The error that is told of two tries: the first, unless only the second may pass and is worth another try.
fn first_error(
    first: Result<(), EngineError>,
    second: Result<(), EngineError>,
) -> Result<(), EngineError> {
    match (first, second) {
        (Err(first), Err(second)) if second.may_pass() && !first.may_pass() => Err(second),
        (first, second) => first.and(second),
    }
}

fn has_ended(job: &Job) -> bool {
    match job.state {
        JobState::Queued { .. } | JobState::Running { .. } => false,
        JobState::Done | JobState::Failed | JobState::Cancelled => true,
    }
}
