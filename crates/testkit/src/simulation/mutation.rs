//! Deliberate faults: what the simulation must find. They are made at the ports, so that the product has no switches
//! for tests.

use std::{io, sync::Arc};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    failure::FailureClass,
    job::{Job, JobState, JobStateTag},
    outbox::Letter,
    pipeline::{EventKind, PipelineState},
    run::Run,
};
use engine::Ports;
use jiff::{SignedDuration, Timestamp};
use ports::{
    Agent, AgentCheck, AgentError, AgentProfile, Caps, Claim, Clock, JobUpdate, Machine, Room,
    Step, Taken, TimerChange, Wakeup,
};

use crate::{store_model::Model, world::World};

/// A deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A report counts, whatever token it shows.
    DropTheFencingCheck,
    /// An input leaves no mark that it was consumed.
    SkipTheConsumedMark,
    /// What follows from a step is done before the step is written.
    ApplyEffectsBeforeCommit,
    /// An answer comes before the commit, which then does not come.
    AnswerBeforeCommit,
    /// A timer is not armed.
    ForgetATimer,
    /// What was lost to a restart is counted as a failure of its own.
    CountALostRun,
    /// A run is launched without being recorded.
    LaunchWithoutRecord,
    /// A job is taken back although its lease has not ended.
    ReapTheLiving,
    /// A report moves the pipeline although its job has ended or is somebody else's.
    CompleteWithoutTheJob,
    /// The merge lease is given back as soon as there is a candidate.
    ReleaseTheMergeLeaseEarly,
    /// Nobody looks at caps.
    IgnoreCaps,
    /// A pause is told and not kept.
    WorkThroughAPause,
    /// What was under way at a cancellation stays in the queue.
    LeaveAJobQueued,
    /// A question that was answered stays open.
    LeaveAQuestionOpen,
    /// No wake-up arrives, and nobody looks by themselves.
    LoseWakeUpsAndPoll,
    /// No wake-up arrives; the slow poll is there. The product survives that one.
    LoseWakeUps,
    /// A workspace is removed before what it holds was kept.
    CleanUpBeforeSalvage,
    /// A step leaves no line in the log.
    TellNothing,
    /// A target is moved without looking whether somebody else moved it.
    LandWithoutComparing,
    /// What was launched is not seen, and launched again.
    LaunchAgain,
    /// The verdict of a gate is not asked for: the next stage begins without it.
    PassWithoutTheGate,
    /// The end of a run is not written.
    LeaveARunOpen,
    /// A letter is given out twice in one go.
    SendTwice,
    /// An event is told and its letter is not written.
    LoseALetter,
    /// A spent quota window is counted as a failure.
    CountASpentWindow,
    /// Breakers hold nobody back.
    IgnoreBreakers,
    /// Nobody looks whether the machine can work.
    LookAway,
}

impl Mutation {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::DropTheFencingCheck,
        Self::SkipTheConsumedMark,
        Self::ApplyEffectsBeforeCommit,
        Self::AnswerBeforeCommit,
        Self::ForgetATimer,
        Self::CountALostRun,
        Self::LaunchWithoutRecord,
        Self::ReapTheLiving,
        Self::CompleteWithoutTheJob,
        Self::ReleaseTheMergeLeaseEarly,
        Self::IgnoreCaps,
        Self::WorkThroughAPause,
        Self::LeaveAJobQueued,
        Self::LeaveAQuestionOpen,
        Self::LoseWakeUpsAndPoll,
        Self::LoseWakeUps,
        Self::CleanUpBeforeSalvage,
        Self::TellNothing,
        Self::LandWithoutComparing,
        Self::LaunchAgain,
        Self::PassWithoutTheGate,
        Self::LeaveARunOpen,
        Self::SendTwice,
        Self::LoseALetter,
        Self::CountASpentWindow,
        Self::IgnoreBreakers,
        Self::LookAway,
    ];

    /// A step on its way to the store.
    pub(super) fn step(self, step: &mut Step, model: &Model) {
        let is_of_person = step.input.starts_with("person/");
        match self {
            Self::DropTheFencingCheck => {
                if let Some(update) = &mut step.job
                    && let Some(JobState::Running { lease }) =
                        model.jobs.get(&update.job).map(|job| &job.state)
                {
                    update.token = lease.token;
                }
            }
            Self::SkipTheConsumedMark => {
                step.input = format!("{}/{}", step.input, model.inputs.len());
            }
            Self::ForgetATimer => {
                step.timers.retain(|change| !matches!(change, TimerChange::Arm { .. }));
            }
            Self::CountALostRun if step.input.starts_with("expire/") => {
                if let Some(update) = &mut step.job {
                    update.next.budget.attempts += 1;
                }
            }
            Self::CompleteWithoutTheJob => {
                let held = |update: &JobUpdate| {
                    let state = model.jobs.get(&update.job).map(|job| &job.state);
                    matches!(state, Some(JobState::Running { lease }) if lease.token == update.token)
                };
                step.job = step.job.take().filter(held);
            }
            Self::ReleaseTheMergeLeaseEarly => {
                let began = |event: &EventKind| matches!(event, EventKind::Integrated { .. });
                step.release_merge_lease |= step.events.iter().any(began);
            }
            Self::WorkThroughAPause => {
                if let PipelineState::Paused { inner } = &step.pipeline.state {
                    step.pipeline.state = PipelineState::clone(inner);
                }
            }
            Self::LeaveAJobQueued => step.cancel_jobs = false,
            Self::LeaveAQuestionOpen if is_of_person => step.closed.clear(),
            Self::TellNothing if is_of_person => step.events.clear(),
            Self::PassWithoutTheGate => {
                step.events.retain(|event| !matches!(event, EventKind::GateJudged { .. }));
            }
            Self::LeaveARunOpen => step.runs.clear(),
            Self::LoseALetter => step.letters.clear(),
            Self::CountASpentWindow => {
                let spent = |event: &EventKind| matches!(event, EventKind::JobRetried { failure, .. } if failure.class == FailureClass::Quota);
                if let Some(update) = step.job.as_mut().filter(|_| step.events.iter().any(spent)) {
                    update.next.budget.transient_attempts += 1;
                }
            }
            _ => {}
        }
    }

    /// Whether a step is answered and not written.
    pub(super) fn forgets(self, step: &Step) -> bool {
        self == Self::AnswerBeforeCommit && step.input.starts_with("person/")
    }

    /// Whether what follows from a step is done before it.
    pub(super) fn acts_before_commit(self) -> bool {
        self == Self::ApplyEffectsBeforeCommit
    }

    /// A wish for work on its way to the store.
    pub(super) fn claim(self, claim: &mut Claim) {
        if self == Self::IgnoreCaps {
            claim.caps = Caps { total: u32::MAX, per_project: None, per_agent: [].into() };
        }
        if self == Self::IgnoreBreakers {
            claim.breakers.clear();
        }
    }

    /// Letters on their way to whoever delivers them.
    pub(super) fn letters(self, letters: &mut Vec<Letter>) {
        if self == Self::SendTwice {
            let again = letters.clone();
            letters.extend(again);
        }
    }

    /// Whether a run that is recorded is not.
    pub(super) fn loses_run(self, run: &Run, model: &Model) -> bool {
        self == Self::LaunchWithoutRecord && !model.runs.contains_key(&run.id)
    }

    /// What a worker knows of runs.
    pub(super) fn runs(self, runs: &mut Vec<Run>) {
        if self == Self::CleanUpBeforeSalvage {
            runs.retain(|run| run.ended_at.is_some());
        }
    }

    /// What a worker knows of jobs.
    pub(super) fn jobs(self, jobs: &mut [Job]) {
        if self != Self::ReapTheLiving {
            return;
        }
        for job in
            jobs.iter_mut().filter(|job| JobStateTag::from(&job.state) == JobStateTag::Running)
        {
            if let JobState::Running { lease } = &mut job.state {
                lease.expires_at = Timestamp::MIN;
            }
        }
    }

    /// A report about a job on its way to the store.
    pub(super) fn update(self, update: &mut JobUpdate) {
        if self == Self::ReapTheLiving {
            update.expired_by = None;
        }
    }

    /// The other ports of a process.
    pub(super) fn ports(self, ports: &mut Ports) {
        if matches!(self, Self::LoseWakeUps | Self::LoseWakeUpsAndPoll) {
            ports.wakeup = Arc::new(Deaf);
        }
        if self == Self::LookAway {
            ports.machine = Arc::new(AllIsWell);
        }
        if self == Self::LoseWakeUpsAndPoll {
            ports.clock = Arc::new(Sleepy(Arc::clone(&ports.clock)));
        }
    }

    /// The world around.
    pub(super) fn world(self, world: &World) {
        if self == Self::LandWithoutComparing {
            world.git.land_without_comparing();
        }
        if self == Self::LaunchAgain {
            world.sandbox.launch_again();
        }
    }
}

/// Hears no wake-up.
struct Deaf;

#[async_trait]
impl Wakeup for Deaf {
    fn wake(&self) {}

    async fn woken(&self) {
        std::future::pending::<()>().await;
    }
}

/// Says that everything is there.
struct AllIsWell;

#[async_trait]
impl Machine for AllIsWell {
    async fn room(&self, _dir: &Utf8Path) -> io::Result<Room> {
        Ok(Room { disk_bytes: u64::MAX, memory_bytes: None })
    }

    async fn measure(&self, _places: &[Utf8PathBuf]) -> Vec<Taken> {
        Vec::new()
    }

    async fn check_agent(
        &self,
        _agent: &dyn Agent,
        _profile: &AgentProfile,
        _path: &str,
    ) -> Result<AgentCheck, AgentError> {
        Ok(AgentCheck { program: "/usr/bin/fake-agent".into(), version: "1".to_owned() })
    }
}

/// Does not wake up from a short sleep.
struct Sleepy(Arc<dyn Clock>);

/// What an engine sleeps at most before it looks for work by itself.
const SHORT: SignedDuration = SignedDuration::from_secs(5);

#[async_trait]
impl Clock for Sleepy {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        if at.duration_since(self.now()) <= SHORT {
            std::future::pending::<()>().await;
        }
        self.0.sleep_until(at).await;
    }
}
