//! Claim, do, renew, until told to stop or until nothing is left to do.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    id::{JobId, PipelineId},
    job::{Job, JobKind, JobStateTag, Work},
    limits::{LEASE_HEARTBEAT, LEASE_TTL, LIVENESS_CHECK},
};
use jiff::{SignedDuration, Timestamp};
use ports::{Claim, JobFilter};
use tokio::{
    sync::{OwnedMutexGuard, watch},
    task::JoinSet,
};

use super::{Interrupt, Running, StopMode, StopSignal, refusals::Refusals, report::STORE_RETRY};
use crate::{
    Engine, EngineError, Progress, chain,
    orphans::LastLook,
    outbox::{DELIVERY_GRACE, LETTER_GRACE, Outbox},
    preflight::Looks,
};

/// Jobs that one process does at once besides agents and gates, which have caps of their own.
const LIGHT_JOBS: u32 = 8;
/// How long the loop waits at most before it looks again, should a wake-up have been lost.
pub(super) const SAFETY_POLL: SignedDuration = SignedDuration::from_secs(5);

/// How long the end of somebody who cannot wait may take to be no death in the books.
const UNCOUNTED_WITHIN: SignedDuration = SignedDuration::from_secs(1);

/// Whether the loop may end when nothing is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// It waits for more.
    Wait,
    /// It ends once no job is queued or running that could move without a person.
    Return,
}

impl Engine {
    /// Works until told to stop, or until everything is at rest. Recovers what dead workers held first.
    ///
    /// On [`StopMode::StopAgents`] it returns once every agent has ended and what it left is kept; told
    /// [`StopMode::LeaveAgents`] meanwhile, it returns at once.
    pub async fn run(
        self: &Arc<Self>,
        mut stop: StopSignal,
        at_rest: AtRest,
    ) -> Result<(), EngineError> {
        // An end that an earlier call was told of is none of this one's.
        self.stopping.send_replace(false);
        self.recover().await?;
        self.recover_letters().await?;
        let mut tasks = JoinSet::new();
        let mut outbox = Outbox::new();
        let mut looks = Looks::new();
        // Until when letters may keep a loop that has nothing else to do.
        let mut last_letters = None;
        let mut rounds = Rounds {
            heartbeat_at: self.after(heartbeat()),
            watch_at: self.ports.clock.now(),
            at_rest,
            last_look: LastLook::default(),
        };
        let mut refusals = Refusals::default();
        loop {
            if stop.borrow_and_update().is_some() {
                break;
            }
            let turn = self.turn(&mut tasks, &mut outbox, &mut looks, &mut rounds).await;
            if let Some(count) = turn.is_ok().then(|| refusals.over()).flatten() {
                tracing::warn!("looks for work again, after {count} tries that failed");
            }
            let look_again = match turn {
                Ok(Turn { nothing_left: true, look_again }) if at_rest == AtRest::Return => {
                    let now = self.ports.clock.now();
                    if outbox.is_at_rest(now) {
                        // Others read what was found, and must not read what is no longer so. A look that only renews
                        // an answer keeps nobody.
                        if looks.is_empty() || self.has_told() {
                            return Ok(());
                        }
                        look_again
                    } else if let Some(at) = self.wait_for_letters(&outbox, &mut last_letters, now)
                    {
                        at
                    } else {
                        break;
                    }
                }
                Ok(Turn { nothing_left, look_again }) => {
                    if !nothing_left {
                        last_letters = None;
                    }
                    look_again.min(outbox.look_again(self.ports.clock.now()))
                }
                // What is under way goes on meanwhile, and its results are kept until they can be told.
                Err(error) if error.may_pass() && !refusals.are_too_many() => {
                    if refusals.one_more() {
                        tracing::error!("could not look for work: {}", chain(&error));
                    }
                    self.after(STORE_RETRY)
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                biased;
                changed = stop.changed() => if changed.is_err() { break },
                Some(ended) = tasks.join_next() => log_abnormal_end(&ended),
                Some(ended) = outbox.ended() => log_abnormal_end(&ended),
                Some(ended) = looks.ended() => log_abnormal_end(&ended),
                () = self.ports.wakeup.woken() => {}
                () = self.ports.clock.sleep_until(look_again) => {}
            }
        }
        let mode = *stop.borrow_and_update();
        // Letters that had their time end the loop as well, which nobody has asked for.
        self.stopping.send_replace(mode.is_some());
        self.interrupt_all(Interrupt::Stopping(mode.unwrap_or(StopMode::StopAgents)));
        outbox.close(self.after(LETTER_GRACE));
        while !(tasks.is_empty() && outbox.is_empty()) {
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => {
                    if *stop.borrow_and_update() == Some(StopMode::LeaveAgents) {
                        // Somebody cannot wait: whatever is under way is found again by the next engine.
                        tokio::select! {
                            () = self.stop_counting() => {}
                            () = self.ports.clock.sleep_until(self.after(UNCOUNTED_WITHIN)) => {}
                        }
                        tasks.abort_all();
                        outbox.abort();
                        return Ok(());
                    }
                }
                Some(ended) = tasks.join_next() => log_abnormal_end(&ended),
                Some(ended) = outbox.ended() => log_abnormal_end(&ended),
                // What is being stopped may take longer than a lease, and is ours until it has ended.
                () = self.ports.clock.sleep_until(rounds.heartbeat_at) => {
                    if let Err(error) = self.send_heartbeats().await {
                        tracing::error!("could not renew the leases: {}", chain(&error));
                    }
                    rounds.heartbeat_at = self.after(heartbeat());
                }
            }
        }
        Ok(())
    }

    /// When to look again, where only letters are left; `None` once they have had their time.
    fn wait_for_letters(
        &self,
        outbox: &Outbox,
        last_letters: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        // A delivery that was begun has its time: cut off, it would be begun again by every process, and never come to
        // an end.
        let grace = if outbox.is_empty() { LETTER_GRACE } else { DELIVERY_GRACE };
        let until = *last_letters.get_or_insert_with(|| self.after(grace));
        if until <= now {
            tracing::warn!("letters are left for the next process");
            outbox.close(now);
            return None;
        }
        Some(until.min(outbox.look_again(now)))
    }

    /// Renews leases, fires timers, starts what can be started, and says when to look again at the latest.
    async fn turn(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        outbox: &mut Outbox,
        looks: &mut Looks,
        rounds: &mut Rounds,
    ) -> Result<Turn, EngineError> {
        if self.ports.clock.now() >= rounds.heartbeat_at {
            self.send_heartbeats().await?;
            // Our own leases are renewed by now: what has ended is nobody's.
            self.reap().await?;
            rounds.heartbeat_at = self.after(heartbeat());
        }
        let looks_around = self.ports.clock.now() >= rounds.watch_at;
        if looks_around {
            self.watch_liveness().await?;
            self.stop_what_nobody_follows(tasks).await?;
            self.look_again_at_damage().await?;
            self.sweep_beside(tasks);
            rounds.watch_at = self.after(liveness_check());
        }
        let fired = self.fire_due_timers(tasks).await?;
        let claimed = self.claim_and_start(tasks, looks).await?;
        if claimed + fired > 0 {
            rounds.last_look = LastLook::default();
        }
        self.send_letters(outbox).await?;
        let next_due = self.ports.store.next_due(&self.options.guards()).await?;
        if looks_around {
            self.watch_overdue().await?;
        }
        let work_left = !tasks.is_empty() || next_due.job.is_some() || next_due.lease.is_some();
        // What is being looked at is no work: every half minute something is, and letters would have their time anew.
        let mut nothing_left = claimed == 0 && !work_left;
        // What is due already waits for a cap or a lease, which a wake-up or an ending task announces.
        let due = next_due.first_after(self.ports.clock.now()).unwrap_or(Timestamp::MAX);
        let mut look_again = due.min(rounds.heartbeat_at).min(self.after(SAFETY_POLL));
        if nothing_left && rounds.at_rest == AtRest::Return {
            // Nobody may look again for long. What is found is told to others as well.
            nothing_left = self.watch_liveness().await? == 0;
            if let Some(at) = self.look_last(tasks, &mut rounds.last_look).await? {
                nothing_left = false;
                look_again = look_again.min(at);
            }
        }
        Ok(Turn { nothing_left, look_again })
    }

    pub(crate) fn after(&self, wait: SignedDuration) -> Timestamp {
        self.ports.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    async fn claim_and_start(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        looks: &mut Looks,
    ) -> Result<usize, EngineError> {
        let caps = self.options.caps.clone();
        // Jobs only: agents that are being stopped beside the loop take nobody's place.
        let under_way = self.running.lock().expect("no holder panics").len();
        let limit = caps
            .total
            .saturating_add(LIGHT_JOBS)
            .saturating_sub(u32::try_from(under_way).unwrap_or(u32::MAX));
        if limit == 0 {
            return Ok(0);
        }
        let claim = Claim {
            owner: self.options.owner.clone(),
            now: self.ports.clock.now(),
            ttl: LEASE_TTL,
            caps,
            breakers: self.options.guards(),
            held: self.look_before_claim(looks),
            limit,
        };
        let jobs = self.ports.store.claim(&claim).await?;
        let count = jobs.len();
        for job in jobs {
            self.start(job, tasks);
        }
        Ok(count)
    }

    fn start(self: &Arc<Self>, job: Job, tasks: &mut JoinSet<()>) {
        let (interrupt, signal) = watch::channel(None);
        let running = Running {
            token: job.claims,
            pipeline: job.pipeline,
            epoch: job.slot.epoch,
            is_cleanup: job.slot.work.kind() == JobKind::Cleanup,
            interrupt,
        };
        self.running.lock().expect("no holder panics").insert(job.id, running);
        let _unwatched = self
            .progress
            .send(Progress::JobStarted { pipeline: job.pipeline, slot: job.slot.clone() });
        let engine = Arc::clone(self);
        tasks.spawn(async move {
            let under_way = UnderWay { engine: &engine, id: job.id, token: job.claims };
            // Until the result is told: whoever works in the place next finds either a run that has ended, or one that
            // nobody of this process follows any more.
            let turn = engine.turn_of(&job).await;
            // Watched from outside, so that a panic of ours is a failure of the job and not a job that never ends;
            // in a set, so that it ends with this task when that is aborted.
            let mut work = JoinSet::new();
            work.spawn({
                let (engine, job) = (Arc::clone(&engine), job.clone());
                async move { engine.perform(&job, signal).await }
            });
            let result = work.join_next().await.expect("one task was spawned");
            let result =
                result.unwrap_or_else(|panic| crate::jobs::Performed::internal_error(&panic));
            engine.report(&job, result).await;
            drop(under_way);
            drop(turn);
        });
    }

    /// Waits until a job has the workspace that it works in, if it works in one.
    async fn turn_of(&self, job: &Job) -> Option<OwnedMutexGuard<()>> {
        match &job.slot.work {
            Work::Agent { role } => Some(self.workspaces.take(job.pipeline, role).await),
            _ => None,
        }
    }

    /// Renews the leases of everything under way; what was lost is told to stop.
    async fn send_heartbeats(&self) -> Result<(), EngineError> {
        let (leases, pipelines): (Vec<(JobId, u64)>, BTreeMap<JobId, PipelineId>) = self
            .running
            .lock()
            .expect("no holder panics")
            .iter()
            .map(|(id, job)| ((*id, job.token), (*id, job.pipeline)))
            .unzip();
        if leases.is_empty() {
            return Ok(());
        }
        let until = self.after(SignedDuration::try_from(LEASE_TTL).unwrap_or(SAFETY_POLL));
        for id in self.ports.store.heartbeat(&leases, until).await? {
            let Some(pipeline) = pipelines.get(&id) else { continue };
            let wanted = self.is_wanted(*pipeline, id).await?;
            let interrupt = if wanted { Interrupt::Lost } else { Interrupt::Cancelled };
            if let Some(job) = self.running.lock().expect("no holder panics").get(&id) {
                job.interrupt.send_replace(Some(interrupt));
            }
        }
        Ok(())
    }

    /// Whether anybody does that job, or will.
    pub(super) async fn is_wanted(
        &self,
        pipeline: PipelineId,
        id: JobId,
    ) -> Result<bool, EngineError> {
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let filter = JobFilter { pipeline: Some(pipeline), states };
        let wanted = self.ports.store.list_jobs(&filter).await?;
        Ok(wanted.iter().any(|job| job.id == id))
    }
}

/// What the loop does every so often, and when it does it next.
struct Rounds {
    heartbeat_at: Timestamp,
    watch_at: Timestamp,
    at_rest: AtRest,
    last_look: LastLook,
}

/// What came of a turn of the loop.
struct Turn {
    /// No job is queued or running that could move without a person.
    nothing_left: bool,
    /// When there may be something to do again, at the latest.
    look_again: Timestamp,
}

/// A job's place in the list of those under way, until it ends in whatever way.
struct UnderWay<'a> {
    engine: &'a Engine,
    id: JobId,
    token: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut running = self.engine.running.lock().expect("no holder panics");
        // A job that its report gave back to the queue may be at work again by now, under another token: that one stays.
        if running.get(&self.id).is_some_and(|job| job.token == self.token) {
            running.remove(&self.id);
        }
    }
}

pub(super) fn log_abnormal_end(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a worker task ended abnormally: {error}");
    }
}

fn liveness_check() -> SignedDuration {
    SignedDuration::try_from(LIVENESS_CHECK).unwrap_or(SAFETY_POLL)
}

fn heartbeat() -> SignedDuration {
    SignedDuration::try_from(LEASE_HEARTBEAT).unwrap_or(SAFETY_POLL)
}
