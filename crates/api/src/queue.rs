//! What waits and what is at work.

use std::collections::BTreeMap;

use domain::{
    breaker::BreakerKey,
    id::{JobId, PipelineId},
    job::{Job, JobKind, JobState, JobStateTag, Lease, Slot},
    name::{AgentName, ProjectKey, StageName},
    revision::CommitSha,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{BreakerView, DamageView, OutboxView, ProcessView};

/// Who works on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseView {
    /// The process.
    pub owner: String,
    /// When somebody else may take over.
    pub expires_at: Timestamp,
}

/// A row of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// The pipeline that wants it.
    pub pipeline: PipelineId,
    /// That pipeline's project.
    pub project: ProjectKey,
    /// The stage.
    pub stage: StageName,
    /// The attempt of that stage; 0 while the pipeline is being opened.
    pub attempt: u32,
    /// What is to be done: `agent:developer`, `gate:tests`.
    pub work: String,
    /// What caps go by.
    pub kind: JobKind,
    /// `queued`, `running`, `done`, `failed`, `cancelled`.
    pub state: String,
    /// Whether its pipeline is paused, where somebody has looked: nothing of it is begun then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Not before this, where it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseView>,
    /// Whether that process is there, where somebody has looked. Where it is not, the lease says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_work: Option<bool>,
    /// Whether the agent that was launched for it lives, where somebody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_lives: Option<bool>,
    /// The agent that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// The commit that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitSha>,
    /// The breaker that holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<BreakerKey>,
    /// When that lets it go on, where time alone does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on_at: Option<Timestamp>,
    /// How often it failed, for reasons of its own or of the outside world.
    pub failures: u32,
    /// How often it was held back, which costs nothing.
    pub holds: u32,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        let Slot { epoch: _, stage, attempt, round: _, work } = &job.slot;
        let (due_at, lease) = match &job.state {
            JobState::Queued { available_at } => (Some(*available_at), None),
            JobState::Running { lease: Lease { owner, token: _, expires_at } } => {
                (None, Some(LeaseView { owner: owner.clone(), expires_at: *expires_at }))
            }
            JobState::Done | JobState::Failed | JobState::Cancelled => (None, None),
        };
        Self {
            id: job.id,
            pipeline: job.pipeline,
            project: job.project.clone(),
            stage: stage.clone(),
            attempt: *attempt,
            work: work.to_string(),
            kind: work.kind(),
            state: JobStateTag::from(&job.state).to_string(),
            paused: None,
            due_at,
            lease,
            at_work: None,
            agent_lives: None,
            agent: job.agent.clone(),
            commit: job.commit.clone(),
            waits_for: None,
            goes_on_at: None,
            failures: job.budget.attempts + job.budget.transient_attempts,
            holds: job.budget.holds,
            last_error: job.last_error.clone(),
            created_at: job.created_at,
        }
    }
}

impl JobView {
    /// The same, held back by a breaker.
    #[must_use]
    pub fn behind(self, breaker: BreakerView) -> Self {
        Self { waits_for: Some(breaker.breaker), goes_on_at: breaker.until, ..self }
    }
}

/// How much may run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CapsView {
    /// In all.
    pub total: u32,
    /// In one project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_project: Option<u32>,
    /// Of one agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_agent: Option<u32>,
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueView {
    /// How many jobs there are, by state.
    pub counts: BTreeMap<String, u64>,
    /// What is at work, oldest first.
    pub running: Vec<JobView>,
    /// What waits, soonest first.
    pub queued: Vec<JobView>,
    /// When the next job or timer is due, also if that is in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// A job that has been due for long although nothing keeps it: something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<JobId>,
    /// How much may run at once.
    pub caps: CapsView,
    /// Who holds the data directory; absent where no process is alive that could work on anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<ProcessView>,
    /// Letters that have not come to a good end, by destination.
    pub outbox: Vec<OutboxView>,
    /// What holds agents back, whole kinds of them.
    pub breakers: Vec<BreakerView>,
    /// What the process that works, or worked last, found unable to work on this machine.
    pub held: Vec<String>,
    /// What is parked because it cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamageView>,
}

impl QueueView {
    /// The queue that consists of `jobs`, oldest first.
    #[must_use]
    pub fn new(
        jobs: &[Job],
        next_due: Option<Timestamp>,
        caps: CapsView,
        holder: Option<ProcessView>,
    ) -> Self {
        let states = [
            JobStateTag::Queued,
            JobStateTag::Running,
            JobStateTag::Done,
            JobStateTag::Failed,
            JobStateTag::Cancelled,
        ];
        let mut counts: BTreeMap<String, u64> =
            states.iter().map(|state| (state.to_string(), 0)).collect();
        let (mut running, mut queued) = (Vec::new(), Vec::new());
        for job in jobs {
            *counts.entry(JobStateTag::from(&job.state).to_string()).or_default() += 1;
            match job.state {
                JobState::Running { .. } => running.push(JobView::from(job)),
                JobState::Queued { .. } => queued.push(JobView::from(job)),
                JobState::Done | JobState::Failed | JobState::Cancelled => {}
            }
        }
        queued.sort_by_key(|job| job.due_at);
        let (outbox, breakers, held) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            counts,
            running,
            queued,
            next_due,
            overdue: None,
            caps,
            holder,
            outbox,
            breakers,
            held,
            damaged: Vec::new(),
        }
    }

    /// The same, with what holds agents back, and which of it keeps which job now.
    #[must_use]
    pub fn behind(
        self,
        breakers: Vec<BreakerView>,
        keeps: impl Fn(JobId) -> Option<BreakerView>,
    ) -> Self {
        let queued = self.queued.into_iter().map(|job| match keeps(job.id) {
            Some(breaker) => job.behind(breaker),
            None => job,
        });
        Self { queued: queued.collect(), breakers, ..self }
    }
}
