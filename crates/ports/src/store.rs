//! What is remembered: few, coarse verbs, each one transaction.
//!
//! A store never decides. [`Store::apply`] writes a step that `domain::pipeline::decide` made, all of it or nothing;
//! there is no other way to change a pipeline.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    breaker::{Breaker, BreakerKey},
    decision::{Decision, DecisionState},
    definition::{Definition, DefinitionHash},
    id::{DecisionId, JobId, LetterId, PipelineId, RunId},
    item::ItemKey,
    job::{Job, JobNext, JobStateTag},
    name::{AgentName, DestinationName, GateName, ProjectKey},
    outbox::{Letter, LetterStateTag},
    pipeline::{
        Actor, Event, EventKind, EventKindTag, NewPipeline, Pipeline, PipelineStateTag, TimerKey,
    },
    revision::TreeSha,
    run::Run,
    verdict::Verdict,
};
use jiff::Timestamp;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data directory.
    #[error("the data directory {path} is in use by {holder}")]
    InUse {
        /// The directory.
        path: String,
        /// Who has it, as far as is known.
        holder: String,
    },
    /// The data was written by a newer version.
    #[error("the database has schema {found}, this version knows {known}")]
    NewerSchema {
        /// What was found.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// A row that cannot be: one pipeline cannot be read, the others can.
    #[error("{table} {id} is damaged: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
        /// Which column, and what is wrong with it.
        what: String,
    },
    /// Too much is waiting already.
    #[error("the store is overloaded: {waiting} calls are waiting")]
    Overloaded {
        /// How many.
        waiting: usize,
    },
    /// The disk is full. Nothing was written.
    #[error("the disk is full: could not {operation}")]
    DiskFull {
        /// What was being done.
        operation: &'static str,
    },
    /// The data directory cannot be written.
    #[error("the data directory {path} cannot be written")]
    ReadOnly {
        /// The directory.
        path: String,
    },
    /// The database cannot be used as it is: no other try gets over that.
    #[error("could not {operation}")]
    Unusable {
        /// What was being done.
        operation: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database said no.
    #[error("could not {operation}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A project as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRecord {
    /// Its key.
    pub key: ProjectKey,
    /// The people's repository: an absolute path or a URL.
    pub repository: String,
}

/// What became of a job that is reported together with a step.
#[derive(Clone, Debug, PartialEq)]
pub struct JobUpdate {
    /// The job.
    pub job: JobId,
    /// The reporter's fencing token.
    pub token: u64,
    /// What `Job::decide` said.
    pub next: JobNext,
    /// Why the try failed, where it did.
    pub last_error: Option<String>,
    /// Where given, it is written only if the lease had ended by then: a worker that renewed it meanwhile is alive.
    pub expired_by: Option<Timestamp>,
}

/// What a step does to the timers of its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Sets one, in place of an earlier one of the same key.
    Arm {
        /// Which.
        timer: TimerKey,
        /// When it is due.
        at: Timestamp,
    },
    /// Removes one that has fired.
    Fired {
        /// Which.
        timer: TimerKey,
    },
    /// Removes all.
    DisarmAll,
}

/// A letter to be written with the event that it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// Its id.
    pub id: LetterId,
    /// Where it goes.
    pub destination: DestinationName,
    /// Which of the step's events it tells of, from 0.
    pub event: usize,
}

/// A step as it is written: state, effects as rows, events, and the mark that the input has been consumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The pipeline after the step. Written only where the stored version is one lower.
    pub pipeline: Pipeline,
    /// The input's deduplication key; one that was consumed already writes nothing.
    pub input: String,
    /// Who brought the input.
    pub actor: Actor,
    /// Now.
    pub at: Timestamp,
    /// What happened, in order.
    pub events: Vec<EventKind>,
    /// Cancel all queued and running jobs of an epoch older than the pipeline's, but not clean-ups.
    pub cancel_jobs: bool,
    /// Jobs to queue. A slot of the pipeline that has a job already keeps it.
    pub jobs: Vec<Job>,
    /// Questions to ask.
    pub opened: Vec<Decision>,
    /// Questions that are settled. One that is not open any more stays as it is.
    pub closed: Vec<(DecisionId, DecisionState)>,
    /// Changes to the timers, in order.
    pub timers: Vec<TimerChange>,
    /// Release the project's merge lease if this pipeline holds it.
    pub release_merge_lease: bool,
    /// Verdicts to keep.
    pub verdicts: Vec<Verdict>,
    /// Runs as they are now: the end of a run is remembered together with what came of it, or not at all.
    pub runs: Vec<Run>,
    /// The job that brought the input. Written only while its token is the current one and the job is running, and
    /// as [`JobUpdate::expired_by`] says.
    pub job: Option<JobUpdate>,
    /// Who is told of which event: as durable as the event, due at once.
    pub letters: Vec<NewLetter>,
    /// The letter that the input is about, as it is after it. Written only where the stored version is one lower.
    pub letter: Option<Letter>,
    /// What the run that ended means for its breaker. Written only where the stored version is one lower.
    pub breaker: Option<Breaker>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// It is written; durably, before this is returned.
    Done {
        /// The sequence number of its last event; of the last event of all where it has none.
        seq: u64,
    },
    /// Its input was consumed before. Nothing was written.
    Duplicate,
    /// The job's lease was lost, the job was cancelled, or the letter was changed meanwhile. Nothing was written.
    Fenced,
    /// Somebody was faster: load again, decide again. Nothing was written.
    Stale,
}

/// How many jobs may run at once. Agent and gate jobs count, git jobs and clean-ups do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// In all.
    pub total: u32,
    /// In one project.
    pub per_project: Option<u32>,
    /// Of one agent.
    pub per_agent: BTreeMap<AgentName, u32>,
}

/// What cannot work for now, whatever the caps say: somebody looked before the claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Agents that cannot be started.
    pub agents: BTreeSet<AgentName>,
    /// Nothing that starts a process can work: agents and gates.
    pub processes: bool,
}

/// A wish for work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The process, unique for its life.
    pub owner: String,
    /// Now.
    pub now: Timestamp,
    /// How long the lease lasts.
    pub ttl: Duration,
    /// Caps over everything that runs, whoever runs it.
    pub caps: Caps,
    /// Which breaker guards which agent. An open one keeps its agents' jobs in the queue; one that is due lets one
    /// job of all its agents try, which is written with the claim.
    pub breakers: BTreeMap<AgentName, BreakerKey>,
    /// What stays in the queue besides.
    pub held: Held,
    /// At most this many.
    pub limit: u32,
}

/// Which pipelines to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineFilter {
    /// Of one project.
    pub project: Option<ProjectKey>,
    /// In these states; all where empty.
    pub states: Vec<PipelineStateTag>,
    /// At most this many; 0 does not limit.
    pub limit: u32,
}

/// Which jobs to list, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of one pipeline.
    pub pipeline: Option<PipelineId>,
    /// In these states; all where empty.
    pub states: Vec<JobStateTag>,
}

/// A timer that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTimer {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Which.
    pub timer: TimerKey,
    /// When it was due.
    pub at: Timestamp,
}

/// A wish for letters to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeLetters {
    /// The process, unique for its life.
    pub owner: String,
    /// Now.
    pub now: Timestamp,
    /// How long the lease lasts.
    pub ttl: Duration,
    /// Where letters can be delivered now.
    pub destinations: Vec<DestinationName>,
}

/// Which letters to list, those of the newest events first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Of the events of one pipeline.
    pub pipeline: Option<PipelineId>,
    /// To one destination.
    pub destination: Option<DestinationName>,
    /// In one state.
    pub state: Option<LetterStateTag>,
    /// At most this many; 0 does not limit.
    pub limit: u32,
}

/// How many letters to one destination are in one state that is not the end of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterCount {
    /// The destination.
    pub destination: DestinationName,
    /// Queued, sending or dead.
    pub state: LetterStateTag,
    /// How many.
    pub count: u64,
    /// When the oldest event happened that one of them tells of.
    pub oldest: Timestamp,
}

/// A pipeline that nothing will move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranded {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Its version when it was found so.
    pub version: u64,
}

/// A row that cannot be: it cannot be read, contradicts another, or names what is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// The table.
    pub table: String,
    /// The row, as it names itself.
    pub row: String,
    /// The pipeline that is parked for it, as the row names it: that may be what is damaged.
    pub pipeline: String,
    /// Which column, and what is wrong with it.
    pub what: String,
}

/// What is due next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextDue {
    /// When the next queued job is.
    pub job: Option<Timestamp>,
    /// When the next timer is.
    pub timer: Option<Timestamp>,
    /// When the first lease of a running job ends, unless it is renewed.
    pub lease: Option<Timestamp>,
}

impl NextDue {
    /// When the first of them is that is still to come: one that is due already must not hide the others.
    #[must_use]
    pub fn first_after(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.job.into_iter().chain(self.timer).chain(self.lease);
        all.filter(|at| *at > now).min()
    }
}

/// The store.
#[async_trait]
pub trait Store: Send + Sync {
    /// Remembers a project, or its new place.
    async fn save_project(&self, project: &ProjectRecord) -> Result<(), StoreError>;

    /// The project of that key.
    async fn find_project(&self, key: &ProjectKey) -> Result<Option<ProjectRecord>, StoreError>;

    /// All projects, by key.
    async fn list_projects(&self) -> Result<Vec<ProjectRecord>, StoreError>;

    /// Keeps a definition under its hash; keeping it twice is fine.
    async fn save_definition(
        &self,
        hash: &DefinitionHash,
        definition: &Definition,
    ) -> Result<(), StoreError>;

    /// The definition of that hash.
    async fn find_definition(
        &self,
        hash: &DefinitionHash,
    ) -> Result<Option<Definition>, StoreError>;

    /// Makes a pipeline with the next free number of its project. Its title has been checked with `Item::new`.
    async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, StoreError>;

    /// The pipeline of that id. Never an older state than one that was answered before.
    async fn find_pipeline(&self, id: PipelineId) -> Result<Option<Pipeline>, StoreError>;

    /// Which pipeline is the one of that item, also where nothing else of it can be read.
    async fn find_pipeline_of(&self, item: &ItemKey) -> Result<Option<PipelineId>, StoreError>;

    /// Pipelines, newest first. Damaged rows are left out and logged.
    async fn list_pipelines(&self, filter: &PipelineFilter) -> Result<Vec<Pipeline>, StoreError>;

    /// Writes a step. Checks in this order: input consumed, job or letter fenced, version of pipeline or breaker stale.
    async fn apply(&self, step: &Step) -> Result<Applied, StoreError>;

    /// Gives out due jobs: of the project with the fewest running ones first, then by priority, then the oldest.
    /// Jobs of paused pipelines, above a cap, behind an open breaker or held stay; but one that has a run that has not
    /// ended passes the last two, since its agent may be at work. An exclusive job is given out only while no other
    /// pipeline holds the project's merge lease, and takes or renews it.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Job>, StoreError>;

    /// The pipeline that holds the merge lease of a project at `now`. One whose lease is over, or that is parked, keeps
    /// nobody from merging.
    async fn find_merging(
        &self,
        project: &ProjectKey,
        now: Timestamp,
    ) -> Result<Option<PipelineId>, StoreError>;

    /// Extends leases to `until`, merge leases held by their pipelines included. Returns the jobs whose lease was lost.
    async fn heartbeat(
        &self,
        leases: &[(JobId, u64)],
        until: Timestamp,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Ends a job whose report nobody waits for. Written only while `token` is the current one, and as
    /// [`JobUpdate::expired_by`] says; says whether it was.
    async fn settle_job(&self, update: &JobUpdate) -> Result<bool, StoreError>;

    /// Jobs, oldest first.
    async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError>;

    /// Timers due at `now`, the oldest first.
    async fn list_due_timers(&self, now: Timestamp) -> Result<Vec<DueTimer>, StoreError>;

    /// When a timer of a pipeline is due, where it is armed.
    async fn find_timer(
        &self,
        pipeline: PipelineId,
        timer: TimerKey,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Removes a timer that nobody waits for, if it is still due at `at`.
    async fn drop_timer(&self, timer: &DueTimer) -> Result<(), StoreError>;

    /// What is due next, also if that is in the past. What no worker can be given does not count; jobs behind an open
    /// breaker are due when that lets one of them try, and never where it waits for a person.
    async fn next_due(
        &self,
        breakers: &BTreeMap<AgentName, BreakerKey>,
    ) -> Result<NextDue, StoreError>;

    /// The breaker of that key; one that nothing has happened to where none was written.
    async fn load_breaker(&self, key: &BreakerKey) -> Result<Breaker, StoreError>;

    /// All breakers that were ever written, by key.
    async fn list_breakers(&self) -> Result<Vec<Breaker>, StoreError>;

    /// Writes a breaker by itself. Written only where the stored version is one lower; says whether it was.
    async fn save_breaker(&self, breaker: &Breaker) -> Result<bool, StoreError>;

    /// Gives out the next letter of each of these destinations: that of the oldest event which has not come to an end,
    /// if it is due or the lease of whoever had it is over. A destination with a letter under way gets no other.
    async fn take_letters(&self, wish: &TakeLetters) -> Result<Vec<Letter>, StoreError>;

    /// Writes what became of a letter, where the stored version is one lower; says whether it was.
    async fn settle_letter(&self, letter: &Letter) -> Result<bool, StoreError>;

    /// When the first letter to one of these destinations can be taken, also if that is in the past.
    async fn next_letter(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The letter of that id.
    async fn find_letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError>;

    /// Letters, those of the newest events first. Damaged rows are left out and logged.
    async fn list_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>, StoreError>;

    /// How many letters wait, are under way or are dead, by destination and state.
    async fn count_letters(&self) -> Result<Vec<LetterCount>, StoreError>;

    /// Pipelines that were started, have not ended and are not paused, and that nothing will move: no job of theirs
    /// is queued or running, and no question is open. There should be none.
    async fn list_stranded(&self) -> Result<Vec<Stranded>, StoreError>;

    /// The damaged rows of a pipeline; of all that have not ended, as far as anything is decided by them. Changes
    /// nothing. Times far ahead of `now` are damage.
    async fn find_damage(
        &self,
        pipeline: Option<PipelineId>,
        now: Timestamp,
    ) -> Result<Vec<DamagedRow>, StoreError>;

    /// Parks every pipeline that has not ended and has a damaged row: no job of it is given out, no timer fires, and
    /// it counts for no cap and holds no merge lease. Takes up again those whose rows were mended. Returns the damage that there is.
    async fn park_damaged(&self, now: Timestamp) -> Result<Vec<DamagedRow>, StoreError>;

    /// Records a run of a job that is running under this token: before its launch, and again with what is learned of
    /// it. Says whether it was written: a job that was taken away or has ended starts nothing any more, and a run that
    /// has ended stays as it ended.
    async fn save_run(&self, run: &Run, token: u64) -> Result<bool, StoreError>;

    /// Writes what became of a run whose job has ended, its end above all, unless it has ended itself. Says whether it was
    /// written: several may be about to end the same, and the run of a job that goes on ends with the job's own report, in
    /// a step.
    async fn settle_run(&self, run: &Run) -> Result<bool, StoreError>;

    /// The run of that id.
    async fn find_run(&self, id: RunId) -> Result<Option<Run>, StoreError>;

    /// The runs of a pipeline, oldest first.
    async fn list_runs(&self, pipeline: PipelineId) -> Result<Vec<Run>, StoreError>;

    /// All runs that have not ended although their job has, job by job.
    async fn list_orphaned_runs(&self) -> Result<Vec<Run>, StoreError>;

    /// The newest run of a job that has not ended: a launch that may have to be adopted.
    async fn find_open_run(&self, job: JobId) -> Result<Option<Run>, StoreError>;

    /// The question of that id.
    async fn find_decision(&self, id: DecisionId) -> Result<Option<Decision>, StoreError>;

    /// Questions, oldest first; of one pipeline, or only open ones.
    async fn list_decisions(
        &self,
        pipeline: Option<PipelineId>,
        only_open: bool,
    ) -> Result<Vec<Decision>, StoreError>;

    /// The verdicts of a pipeline, oldest first.
    async fn list_verdicts(&self, pipeline: PipelineId) -> Result<Vec<Verdict>, StoreError>;

    /// The newest verdict of a gate of this pipeline about this very tree.
    async fn find_verdict(
        &self,
        pipeline: PipelineId,
        gate: &GateName,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, StoreError>;

    /// Events with a sequence number above `after`, in order; of one pipeline or of all.
    async fn list_events(
        &self,
        pipeline: Option<PipelineId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// The newest event of that kind of a pipeline. Looks back from the newest of all no further than to that one.
    async fn find_last_event(
        &self,
        pipeline: PipelineId,
        kind: EventKindTag,
    ) -> Result<Option<Event>, StoreError>;
}
