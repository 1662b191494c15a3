//! The port, verb by verb: what is asked, and which function on a connection does it.

use std::collections::BTreeMap;

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

use crate::{
    ops::{
        apply, breakers, claim, damage, decisions, definitions, due, events, jobs, letters,
        merge_leases, pipelines, projects, runs, stranded, timers, verdicts,
    },
    store::SqliteStore,
};

#[async_trait]
impl Store for SqliteStore {
    async fn save_project(&self, project: &ProjectRecord) -> Result<(), StoreError> {
        let project = project.clone();
        self.write(move |connection| projects::save(connection, &project)).await
    }

    async fn find_project(&self, key: &ProjectKey) -> Result<Option<ProjectRecord>, StoreError> {
        let key = key.clone();
        self.read(move |connection| projects::find(connection, &key)).await
    }

    async fn list_projects(&self) -> Result<Vec<ProjectRecord>, StoreError> {
        self.read(projects::list).await
    }

    async fn save_definition(
        &self,
        hash: &DefinitionHash,
        definition: &Definition,
    ) -> Result<(), StoreError> {
        let (hash, definition) = (hash.clone(), definition.clone());
        self.write(move |connection| definitions::save(connection, &hash, &definition)).await
    }

    async fn find_definition(
        &self,
        hash: &DefinitionHash,
    ) -> Result<Option<Definition>, StoreError> {
        let hash = hash.clone();
        self.read(move |connection| definitions::find(connection, &hash)).await
    }

    async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, StoreError> {
        let new = new.clone();
        self.write(move |connection| pipelines::create(connection, &new)).await
    }

    async fn find_pipeline(&self, id: PipelineId) -> Result<Option<Pipeline>, StoreError> {
        self.read(move |connection| pipelines::find(connection, id)).await
    }

    async fn find_pipeline_of(&self, item: &ItemKey) -> Result<Option<PipelineId>, StoreError> {
        let item = item.clone();
        self.read(move |connection| pipelines::find_of(connection, &item)).await
    }

    async fn list_pipelines(&self, filter: &PipelineFilter) -> Result<Vec<Pipeline>, StoreError> {
        let filter = filter.clone();
        self.read(move |connection| pipelines::list(connection, &filter)).await
    }

    async fn apply(&self, step: &Step) -> Result<Applied, StoreError> {
        let step = step.clone();
        self.write(move |connection| apply::apply(connection, &step)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Job>, StoreError> {
        let wish = claim.clone();
        self.write(move |connection| claim::claim(connection, &wish)).await
    }

    async fn find_merging(
        &self,
        project: &ProjectKey,
        now: Timestamp,
    ) -> Result<Option<PipelineId>, StoreError> {
        let project = project.clone();
        self.read(move |connection| merge_leases::find_holder(connection, &project, now)).await
    }

    async fn heartbeat(
        &self,
        leases: &[(JobId, u64)],
        until: Timestamp,
    ) -> Result<Vec<JobId>, StoreError> {
        let leases = leases.to_owned();
        self.write(move |connection| jobs::heartbeat(connection, &leases, until)).await
    }

    async fn settle_job(&self, update: &JobUpdate) -> Result<bool, StoreError> {
        let update = update.clone();
        self.write(move |connection| jobs::settle(connection, &update)).await
    }

    async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let filter = filter.clone();
        self.read(move |connection| jobs::list(connection, &filter)).await
    }

    async fn list_due_timers(&self, now: Timestamp) -> Result<Vec<DueTimer>, StoreError> {
        self.read(move |connection| timers::list_due(connection, now)).await
    }

    async fn find_timer(
        &self,
        pipeline: PipelineId,
        timer: TimerKey,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |connection| timers::find(connection, pipeline, timer)).await
    }

    async fn drop_timer(&self, timer: &DueTimer) -> Result<(), StoreError> {
        let timer = *timer;
        self.write(move |connection| timers::drop_due(connection, &timer)).await
    }

    async fn next_due(
        &self,
        breakers: &BTreeMap<AgentName, BreakerKey>,
    ) -> Result<NextDue, StoreError> {
        let breakers = breakers.clone();
        self.read(move |connection| due::next(connection, &breakers)).await
    }

    async fn load_breaker(&self, key: &BreakerKey) -> Result<Breaker, StoreError> {
        let key = key.clone();
        self.read(move |connection| breakers::load(connection, &key)).await
    }

    async fn list_breakers(&self) -> Result<Vec<Breaker>, StoreError> {
        self.read(breakers::list).await
    }

    async fn save_breaker(&self, breaker: &Breaker) -> Result<bool, StoreError> {
        let breaker = breaker.clone();
        self.write(move |connection| breakers::save(connection, &breaker)).await
    }

    async fn take_letters(&self, wish: &TakeLetters) -> Result<Vec<Letter>, StoreError> {
        let wish = wish.clone();
        self.write(move |connection| letters::take(connection, &wish)).await
    }

    async fn settle_letter(&self, letter: &Letter) -> Result<bool, StoreError> {
        let letter = letter.clone();
        self.write(move |connection| letters::settle(connection, &letter)).await
    }

    async fn next_letter(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Option<Timestamp>, StoreError> {
        let destinations = destinations.to_owned();
        self.read(move |connection| letters::next(connection, &destinations)).await
    }

    async fn find_letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        self.read(move |connection| letters::find(connection, id)).await
    }

    async fn list_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>, StoreError> {
        let filter = filter.clone();
        self.read(move |connection| letters::list(connection, &filter)).await
    }

    async fn count_letters(&self) -> Result<Vec<LetterCount>, StoreError> {
        self.read(letters::count).await
    }

    async fn list_stranded(&self) -> Result<Vec<Stranded>, StoreError> {
        self.read(stranded::list).await
    }

    async fn find_damage(
        &self,
        pipeline: Option<PipelineId>,
        now: Timestamp,
    ) -> Result<Vec<DamagedRow>, StoreError> {
        let scope = pipeline.map_or(damage::Scope::Unfinished, damage::Scope::One);
        self.read(move |connection| damage::find(connection, scope, now)).await
    }

    async fn park_damaged(&self, now: Timestamp) -> Result<Vec<DamagedRow>, StoreError> {
        self.write(move |connection| damage::park(connection, now)).await
    }

    async fn save_run(&self, run: &Run, token: u64) -> Result<bool, StoreError> {
        let run = run.clone();
        self.write(move |connection| runs::save_held(connection, &run, token)).await
    }

    async fn settle_run(&self, run: &Run) -> Result<bool, StoreError> {
        let run = run.clone();
        self.write(move |connection| runs::end(connection, &run)).await
    }

    async fn find_run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(move |connection| runs::find(connection, id)).await
    }

    async fn list_runs(&self, pipeline: PipelineId) -> Result<Vec<Run>, StoreError> {
        self.read(move |connection| runs::list(connection, pipeline)).await
    }

    async fn list_orphaned_runs(&self) -> Result<Vec<Run>, StoreError> {
        self.read(runs::list_orphaned).await
    }

    async fn find_open_run(&self, job: JobId) -> Result<Option<Run>, StoreError> {
        self.read(move |connection| runs::find_open(connection, job)).await
    }

    async fn find_decision(&self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        self.read(move |connection| decisions::find(connection, id)).await
    }

    async fn list_decisions(
        &self,
        pipeline: Option<PipelineId>,
        only_open: bool,
    ) -> Result<Vec<Decision>, StoreError> {
        self.read(move |connection| decisions::list(connection, pipeline, only_open)).await
    }

    async fn list_verdicts(&self, pipeline: PipelineId) -> Result<Vec<Verdict>, StoreError> {
        self.read(move |connection| verdicts::list(connection, pipeline)).await
    }

    async fn find_verdict(
        &self,
        pipeline: PipelineId,
        gate: &GateName,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, StoreError> {
        let (gate, tree) = (gate.clone(), tree.clone());
        self.read(move |connection| verdicts::find(connection, pipeline, &gate, &tree)).await
    }

    async fn list_events(
        &self,
        pipeline: Option<PipelineId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| events::list(connection, pipeline, after, limit)).await
    }

    async fn find_last_event(
        &self,
        pipeline: PipelineId,
        kind: EventKindTag,
    ) -> Result<Option<Event>, StoreError> {
        self.read(move |connection| events::find_last(connection, pipeline, kind)).await
    }
}
