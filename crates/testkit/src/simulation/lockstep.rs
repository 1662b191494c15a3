//! The real store and its model, asked everything at the same time.

use std::{
    collections::BTreeMap,
    fmt::Debug,
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
    outbox::{Letter, Route},
    pipeline::{Event, EventKindTag, NewPipeline, Pipeline, TimerKey},
    revision::TreeSha,
    run::Run,
    verdict::Verdict,
};
use jiff::Timestamp;
use ports::{
    Applied, Caps, Claim, DamagedRow, DueTimer, JobFilter, JobUpdate, LetterCount, LetterFilter,
    NextDue, PipelineFilter, ProjectRecord, Step, Store, StoreError, Stranded, TakeLetters,
};
use store_sqlite::SqliteStore;

use super::{invariants::Watch, mutation::Mutation, record::Record};
use crate::store_model::ModelStore;

/// The two of them, and what must hold after each commit.
pub(super) struct Pair {
    sql: SqliteStore,
    pub(super) model: ModelStore,
    watch: Watch,
    record: Arc<Record>,
    /// Every step that was written, as it was brought.
    steps: Mutex<Vec<Step>>,
}

/// The pair as one caller sees it.
#[derive(Clone)]
pub(super) struct LockstepStore {
    pub(super) pair: Arc<Pair>,
    caller: String,
    mutation: Option<Mutation>,
}

/// Asks both and compares what they say.
macro_rules! both {
    ($self:ident.$verb:ident($($argument:expr),*)) => {{
        let (sql, model) = ($self.pair.sql.$verb($($argument),*).await, $self.pair.model.$verb($($argument),*).await);
        $self.pair.same(stringify!($verb), sql, &model)
    }};
}

impl LockstepStore {
    pub(super) fn new(
        record: Arc<Record>,
        caps: Caps,
        routes: Vec<Route>,
    ) -> Result<Self, StoreError> {
        let (sql, model) = (SqliteStore::in_memory()?, ModelStore::default());
        let watch = Watch::new(Arc::clone(&record), caps, routes);
        let pair = Arc::new(Pair { sql, model, watch, record, steps: Mutex::default() });
        Ok(Self { pair, caller: String::new(), mutation: None })
    }

    /// The same stores, as this process sees them, with what is broken on its way.
    pub(super) fn called_by(&self, caller: &str, mutation: Option<Mutation>) -> Self {
        Self { pair: Arc::clone(&self.pair), caller: caller.to_owned(), mutation }
    }

    fn mutated(&self, step: &Step) -> Step {
        let mut step = step.clone();
        if let Some(mutation) = self.mutation {
            self.pair.model.look(|model| mutation.step(&mut step, model));
            if let Some(update) = &mut step.job {
                mutation.update(update);
            }
        }
        step
    }

    /// Compares everything that both remember.
    pub(super) async fn compare_everything(&self) -> Result<(), StoreError> {
        let pipelines = self.list_pipelines(&PipelineFilter::default()).await?;
        self.list_jobs(&JobFilter::default()).await?;
        self.list_due_timers(Timestamp::MAX).await?;
        self.list_decisions(None, false).await?;
        self.list_letters(&LetterFilter::default()).await?;
        self.count_letters().await?;
        self.list_breakers().await?;
        for pipeline in pipelines {
            self.list_runs(pipeline.id).await?;
            self.list_verdicts(pipeline.id).await?;
        }
        self.read_by_pages().await
    }

    /// A reader that pages misses no event and sees none twice.
    async fn read_by_pages(&self) -> Result<(), StoreError> {
        let all = self.list_events(None, 0, u32::MAX).await?;
        let (mut paged, mut after) = (Vec::new(), 0);
        loop {
            let page = self.list_events(None, after, 7).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            paged.extend(page);
        }
        if paged != all {
            self.pair.record.violate(
                "a reader that pages misses no event",
                format!("{} of {}", paged.len(), all.len()),
            );
        }
        Ok(())
    }
}

impl Pair {
    /// A step that was written, counted back from the last.
    pub(super) fn step(&self, back: usize) -> Option<Step> {
        self.steps.lock().expect("nobody panics while holding it").iter().rev().nth(back).cloned()
    }

    /// Whether a person had a letter tried again.
    pub(super) fn was_retried(&self, letter: LetterId) -> bool {
        self.watch.was_retried(letter)
    }

    fn same<T: Debug + PartialEq>(
        &self,
        verb: &'static str,
        sql: Result<T, StoreError>,
        model: &Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let agree = match (&sql, model) {
            (Ok(sql), Ok(model)) => sql == model,
            (Err(_), Err(_)) => true,
            _ => false,
        };
        if !agree {
            let what = format!("{verb}: the store says {sql:?}, its model {model:?}");
            self.record.violate("store and model agree", what);
        }
        sql
    }
}

#[async_trait]
impl Store for LockstepStore {
    async fn save_project(&self, project: &ProjectRecord) -> Result<(), StoreError> {
        both!(self.save_project(project))
    }

    async fn find_project(&self, key: &ProjectKey) -> Result<Option<ProjectRecord>, StoreError> {
        both!(self.find_project(key))
    }

    async fn list_projects(&self) -> Result<Vec<ProjectRecord>, StoreError> {
        both!(self.list_projects())
    }

    async fn save_definition(
        &self,
        hash: &DefinitionHash,
        definition: &Definition,
    ) -> Result<(), StoreError> {
        both!(self.save_definition(hash, definition))
    }

    async fn find_definition(
        &self,
        hash: &DefinitionHash,
    ) -> Result<Option<Definition>, StoreError> {
        both!(self.find_definition(hash))
    }

    async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, StoreError> {
        both!(self.create_pipeline(new))
    }

    async fn find_pipeline(&self, id: PipelineId) -> Result<Option<Pipeline>, StoreError> {
        both!(self.find_pipeline(id))
    }

    async fn find_pipeline_of(&self, item: &ItemKey) -> Result<Option<PipelineId>, StoreError> {
        both!(self.find_pipeline_of(item))
    }

    async fn list_pipelines(&self, filter: &PipelineFilter) -> Result<Vec<Pipeline>, StoreError> {
        both!(self.list_pipelines(filter))
    }

    async fn apply(&self, step: &Step) -> Result<Applied, StoreError> {
        let brought = step;
        let step = &self.mutated(step);
        if self.mutation.is_some_and(|mutation| mutation.forgets(step)) {
            return Ok(Applied::Done { seq: 0 });
        }
        if self.mutation.is_some_and(Mutation::acts_before_commit) {
            for run in &step.runs {
                if let Some(job) = &step.job {
                    self.save_run(run, job.token).await?;
                }
            }
        }
        let before = self.pair.model.look(|model| Watch::before(model, step));
        let applied = both!(self.apply(step))?;
        self.pair.model.look(|model| {
            self.pair.watch.applied(model, &self.caller, step, before.as_ref(), applied);
        });
        if let Applied::Done { .. } = applied {
            self.pair.steps.lock().expect("nobody panics while holding it").push(brought.clone());
        }
        Ok(applied)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Job>, StoreError> {
        let mut mutated = claim.clone();
        if let Some(mutation) = self.mutation {
            mutation.claim(&mut mutated);
        }
        let jobs = both!(self.claim(&mutated))?;
        self.pair.model.look(|model| self.pair.watch.claimed(model, claim, &jobs));
        Ok(jobs)
    }

    async fn find_merging(
        &self,
        project: &ProjectKey,
        now: Timestamp,
    ) -> Result<Option<PipelineId>, StoreError> {
        both!(self.find_merging(project, now))
    }

    async fn heartbeat(
        &self,
        leases: &[(JobId, u64)],
        until: Timestamp,
    ) -> Result<Vec<JobId>, StoreError> {
        let lost = both!(self.heartbeat(leases, until))?;
        self.pair.model.look(|model| self.pair.watch.beaten(model));
        Ok(lost)
    }

    async fn settle_job(&self, update: &JobUpdate) -> Result<bool, StoreError> {
        let mut update = update.clone();
        if let Some(mutation) = self.mutation {
            mutation.update(&mut update);
        }
        let update = &update;
        let settled = both!(self.settle_job(update))?;
        self.pair.model.look(|model| self.pair.watch.settled(model, update, settled));
        Ok(settled)
    }

    async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let mut jobs = both!(self.list_jobs(filter))?;
        if let Some(mutation) = self.mutation {
            mutation.jobs(&mut jobs);
        }
        Ok(jobs)
    }

    async fn list_due_timers(&self, now: Timestamp) -> Result<Vec<DueTimer>, StoreError> {
        both!(self.list_due_timers(now))
    }

    async fn find_timer(
        &self,
        pipeline: PipelineId,
        timer: TimerKey,
    ) -> Result<Option<Timestamp>, StoreError> {
        both!(self.find_timer(pipeline, timer))
    }

    async fn drop_timer(&self, timer: &DueTimer) -> Result<(), StoreError> {
        both!(self.drop_timer(timer))?;
        self.pair.watch.timer_dropped(timer);
        Ok(())
    }

    async fn next_due(
        &self,
        breakers: &BTreeMap<AgentName, BreakerKey>,
    ) -> Result<NextDue, StoreError> {
        both!(self.next_due(breakers))
    }

    async fn load_breaker(&self, key: &BreakerKey) -> Result<Breaker, StoreError> {
        both!(self.load_breaker(key))
    }

    async fn list_breakers(&self) -> Result<Vec<Breaker>, StoreError> {
        both!(self.list_breakers())
    }

    async fn save_breaker(&self, breaker: &Breaker) -> Result<bool, StoreError> {
        both!(self.save_breaker(breaker))
    }

    async fn list_stranded(&self) -> Result<Vec<Stranded>, StoreError> {
        both!(self.list_stranded())
    }

    async fn save_run(&self, run: &Run, token: u64) -> Result<bool, StoreError> {
        let is_lost = |mutation: Mutation| self.pair.model.look(|it| mutation.loses_run(run, it));
        if self.mutation.is_some_and(is_lost) {
            return Ok(true);
        }
        let is_written = both!(self.save_run(run, token))?;
        if is_written {
            self.pair.model.look(|model| self.pair.watch.run_saved_alone(model, run));
            self.pair.model.look(|model| self.pair.watch.run_saved(model, run));
        }
        Ok(is_written)
    }

    async fn settle_run(&self, run: &Run) -> Result<bool, StoreError> {
        let was_open = both!(self.settle_run(run))?;
        if was_open {
            self.pair.model.look(|model| self.pair.watch.run_saved_alone(model, run));
            self.pair.model.look(|model| self.pair.watch.run_saved(model, run));
        }
        Ok(was_open)
    }

    async fn find_run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        both!(self.find_run(id))
    }

    async fn find_damage(
        &self,
        pipeline: Option<PipelineId>,
        now: Timestamp,
    ) -> Result<Vec<DamagedRow>, StoreError> {
        both!(self.find_damage(pipeline, now))
    }

    async fn park_damaged(&self, now: Timestamp) -> Result<Vec<DamagedRow>, StoreError> {
        both!(self.park_damaged(now))
    }

    async fn list_runs(&self, pipeline: PipelineId) -> Result<Vec<Run>, StoreError> {
        let mut runs = both!(self.list_runs(pipeline))?;
        if let Some(mutation) = self.mutation {
            mutation.runs(&mut runs);
        }
        Ok(runs)
    }

    async fn list_orphaned_runs(&self) -> Result<Vec<Run>, StoreError> {
        both!(self.list_orphaned_runs())
    }

    async fn find_open_run(&self, job: JobId) -> Result<Option<Run>, StoreError> {
        both!(self.find_open_run(job))
    }

    async fn find_decision(&self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        both!(self.find_decision(id))
    }

    async fn list_decisions(
        &self,
        pipeline: Option<PipelineId>,
        only_open: bool,
    ) -> Result<Vec<Decision>, StoreError> {
        both!(self.list_decisions(pipeline, only_open))
    }

    async fn list_verdicts(&self, pipeline: PipelineId) -> Result<Vec<Verdict>, StoreError> {
        both!(self.list_verdicts(pipeline))
    }

    async fn find_verdict(
        &self,
        pipeline: PipelineId,
        gate: &GateName,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, StoreError> {
        both!(self.find_verdict(pipeline, gate, tree))
    }

    async fn list_events(
        &self,
        pipeline: Option<PipelineId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        both!(self.list_events(pipeline, after, limit))
    }

    async fn find_last_event(
        &self,
        pipeline: PipelineId,
        kind: EventKindTag,
    ) -> Result<Option<Event>, StoreError> {
        both!(self.find_last_event(pipeline, kind))
    }

    async fn take_letters(&self, wish: &TakeLetters) -> Result<Vec<Letter>, StoreError> {
        let mut taken = both!(self.take_letters(wish))?;
        self.pair.model.look(|model| self.pair.watch.letters_taken(model, wish, &taken));
        if let Some(mutation) = self.mutation {
            mutation.letters(&mut taken);
        }
        Ok(taken)
    }

    async fn settle_letter(&self, letter: &Letter) -> Result<bool, StoreError> {
        let settled = both!(self.settle_letter(letter))?;
        if settled {
            self.pair.watch.letter_settled(letter);
        }
        Ok(settled)
    }

    async fn next_letter(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Option<Timestamp>, StoreError> {
        both!(self.next_letter(destinations))
    }

    async fn find_letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        both!(self.find_letter(id))
    }

    async fn list_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>, StoreError> {
        both!(self.list_letters(filter))
    }

    async fn count_letters(&self) -> Result<Vec<LetterCount>, StoreError> {
        both!(self.count_letters())
    }
}
