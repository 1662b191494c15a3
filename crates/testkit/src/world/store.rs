//! A store that can be made to refuse, around any other.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use domain::{
    breaker::{Breaker, BreakerKey},
    decision::Decision,
    definition::{Definition, DefinitionHash},
    id::{DecisionId, JobId, LetterId, PipelineId, RunId},
    item::ItemKey,
    job::Job,
    name::{AgentName, DestinationName, GateName, ProjectKey},
    outbox::Letter,
    pipeline::{Event, EventKindTag, NewPipeline, Pipeline, TimerKey},
    revision::TreeSha,
    run::Run,
    verdict::Verdict,
};
use jiff::Timestamp;
use ports::{
    Applied, Claim, DamagedRow, DueTimer, JobFilter, JobUpdate, LetterCount, LetterFilter, NextDue,
    PipelineFilter, ProjectRecord, Step, Store, StoreError, Stranded, TakeLetters,
};

use super::Calls;

/// Which calls are refused, how often still, and with what words.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    call: Option<&'static str>,
    times: u32,
    error: fn() -> StoreError,
}

/// The engine's way to a store; tests read the store itself.
pub struct WatchedStore {
    store: Arc<dyn Store>,
    refusal: Mutex<Option<Refusal>>,
    calls: Arc<Calls>,
}

impl WatchedStore {
    /// A way to `store` whose calls are told to `calls`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, calls: Arc<Calls>) -> Self {
        Self { store, refusal: Mutex::default(), calls }
    }

    /// Refuses the next calls of one name, or of all.
    pub fn refuse(&self, call: Option<&'static str>, times: u32, error: fn() -> StoreError) {
        *self.refusal.lock().expect("nobody panics while holding it") =
            Some(Refusal { call, times, error });
    }

    /// How many refusals nobody has met yet.
    #[must_use]
    pub fn refusals_left(&self) -> u32 {
        let refusal = self.refusal.lock().expect("nobody panics while holding it");
        refusal.map_or(0, |refusal| refusal.times)
    }

    fn refusal(&self, call: &'static str) -> Result<(), StoreError> {
        let mut refusal = self.refusal.lock().expect("nobody panics while holding it");
        match refusal.as_mut() {
            Some(Refusal { call: meant, times, error })
                if *times > 0 && meant.is_none_or(|meant| meant == call) =>
            {
                *times -= 1;
                Err(error())
            }
            _ => Ok(()),
        }
    }

    async fn make<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let refusable = async {
            self.refusal(call)?;
            work.await
        };
        self.calls.make(call, refusable).await
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn save_project(&self, project: &ProjectRecord) -> Result<(), StoreError> {
        self.make("store.save_project", self.store.save_project(project)).await
    }

    async fn find_project(&self, key: &ProjectKey) -> Result<Option<ProjectRecord>, StoreError> {
        self.make("store.find_project", self.store.find_project(key)).await
    }

    async fn list_projects(&self) -> Result<Vec<ProjectRecord>, StoreError> {
        self.make("store.list_projects", self.store.list_projects()).await
    }

    async fn save_definition(
        &self,
        hash: &DefinitionHash,
        definition: &Definition,
    ) -> Result<(), StoreError> {
        self.make("store.save_definition", self.store.save_definition(hash, definition)).await
    }

    async fn find_definition(
        &self,
        hash: &DefinitionHash,
    ) -> Result<Option<Definition>, StoreError> {
        self.make("store.find_definition", self.store.find_definition(hash)).await
    }

    async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, StoreError> {
        self.make("store.create_pipeline", self.store.create_pipeline(new)).await
    }

    async fn find_pipeline(&self, id: PipelineId) -> Result<Option<Pipeline>, StoreError> {
        self.make("store.find_pipeline", self.store.find_pipeline(id)).await
    }

    async fn find_pipeline_of(&self, item: &ItemKey) -> Result<Option<PipelineId>, StoreError> {
        self.make("store.find_pipeline_of", self.store.find_pipeline_of(item)).await
    }

    async fn list_pipelines(&self, filter: &PipelineFilter) -> Result<Vec<Pipeline>, StoreError> {
        self.make("store.list_pipelines", self.store.list_pipelines(filter)).await
    }

    async fn apply(&self, step: &Step) -> Result<Applied, StoreError> {
        self.make("store.apply", self.store.apply(step)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Job>, StoreError> {
        self.make("store.claim", self.store.claim(claim)).await
    }

    async fn find_merging(
        &self,
        project: &ProjectKey,
        now: Timestamp,
    ) -> Result<Option<PipelineId>, StoreError> {
        self.make("store.find_merging", self.store.find_merging(project, now)).await
    }

    async fn heartbeat(
        &self,
        leases: &[(JobId, u64)],
        until: Timestamp,
    ) -> Result<Vec<JobId>, StoreError> {
        self.make("store.heartbeat", self.store.heartbeat(leases, until)).await
    }

    async fn settle_job(&self, update: &JobUpdate) -> Result<bool, StoreError> {
        self.make("store.settle_job", self.store.settle_job(update)).await
    }

    async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        self.make("store.list_jobs", self.store.list_jobs(filter)).await
    }

    async fn list_due_timers(&self, now: Timestamp) -> Result<Vec<DueTimer>, StoreError> {
        self.make("store.list_due_timers", self.store.list_due_timers(now)).await
    }

    async fn find_timer(
        &self,
        pipeline: PipelineId,
        timer: TimerKey,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.make("store.find_timer", self.store.find_timer(pipeline, timer)).await
    }

    async fn drop_timer(&self, timer: &DueTimer) -> Result<(), StoreError> {
        self.make("store.drop_timer", self.store.drop_timer(timer)).await
    }

    async fn next_due(
        &self,
        breakers: &BTreeMap<AgentName, BreakerKey>,
    ) -> Result<NextDue, StoreError> {
        self.make("store.next_due", self.store.next_due(breakers)).await
    }

    async fn load_breaker(&self, key: &BreakerKey) -> Result<Breaker, StoreError> {
        self.make("store.load_breaker", self.store.load_breaker(key)).await
    }

    async fn list_breakers(&self) -> Result<Vec<Breaker>, StoreError> {
        self.make("store.list_breakers", self.store.list_breakers()).await
    }

    async fn save_breaker(&self, breaker: &Breaker) -> Result<bool, StoreError> {
        self.make("store.save_breaker", self.store.save_breaker(breaker)).await
    }

    async fn take_letters(&self, wish: &TakeLetters) -> Result<Vec<Letter>, StoreError> {
        self.make("store.take_letters", self.store.take_letters(wish)).await
    }

    async fn settle_letter(&self, letter: &Letter) -> Result<bool, StoreError> {
        self.make("store.settle_letter", self.store.settle_letter(letter)).await
    }

    async fn next_letter(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Option<Timestamp>, StoreError> {
        self.make("store.next_letter", self.store.next_letter(destinations)).await
    }

    async fn find_letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        self.make("store.find_letter", self.store.find_letter(id)).await
    }

    async fn list_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>, StoreError> {
        self.make("store.list_letters", self.store.list_letters(filter)).await
    }

    async fn count_letters(&self) -> Result<Vec<LetterCount>, StoreError> {
        self.make("store.count_letters", self.store.count_letters()).await
    }

    async fn list_stranded(&self) -> Result<Vec<Stranded>, StoreError> {
        self.make("store.list_stranded", self.store.list_stranded()).await
    }

    async fn find_damage(
        &self,
        pipeline: Option<PipelineId>,
        now: Timestamp,
    ) -> Result<Vec<DamagedRow>, StoreError> {
        self.make("store.find_damage", self.store.find_damage(pipeline, now)).await
    }

    async fn park_damaged(&self, now: Timestamp) -> Result<Vec<DamagedRow>, StoreError> {
        self.make("store.park_damaged", self.store.park_damaged(now)).await
    }

    async fn save_run(&self, run: &Run, token: u64) -> Result<bool, StoreError> {
        self.make("store.save_run", self.store.save_run(run, token)).await
    }

    async fn settle_run(&self, run: &Run) -> Result<bool, StoreError> {
        self.make("store.settle_run", self.store.settle_run(run)).await
    }

    async fn find_run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.make("store.find_run", self.store.find_run(id)).await
    }

    async fn list_runs(&self, pipeline: PipelineId) -> Result<Vec<Run>, StoreError> {
        self.make("store.list_runs", self.store.list_runs(pipeline)).await
    }

    async fn list_orphaned_runs(&self) -> Result<Vec<Run>, StoreError> {
        self.make("store.list_orphaned_runs", self.store.list_orphaned_runs()).await
    }

    async fn find_open_run(&self, job: JobId) -> Result<Option<Run>, StoreError> {
        self.make("store.find_open_run", self.store.find_open_run(job)).await
    }

    async fn find_decision(&self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        self.make("store.find_decision", self.store.find_decision(id)).await
    }

    async fn list_decisions(
        &self,
        pipeline: Option<PipelineId>,
        only_open: bool,
    ) -> Result<Vec<Decision>, StoreError> {
        self.make("store.list_decisions", self.store.list_decisions(pipeline, only_open)).await
    }

    async fn list_verdicts(&self, pipeline: PipelineId) -> Result<Vec<Verdict>, StoreError> {
        self.make("store.list_verdicts", self.store.list_verdicts(pipeline)).await
    }

    async fn find_verdict(
        &self,
        pipeline: PipelineId,
        gate: &GateName,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, StoreError> {
        self.make("store.find_verdict", self.store.find_verdict(pipeline, gate, tree)).await
    }

    async fn list_events(
        &self,
        pipeline: Option<PipelineId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.make("store.list_events", self.store.list_events(pipeline, after, limit)).await
    }

    async fn find_last_event(
        &self,
        pipeline: PipelineId,
        kind: EventKindTag,
    ) -> Result<Option<Event>, StoreError> {
        self.make("store.find_last_event", self.store.find_last_event(pipeline, kind)).await
    }
}
