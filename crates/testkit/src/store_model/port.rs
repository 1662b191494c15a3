//! The port, verb by verb.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    breaker::{Breaker, BreakerKey},
    decision::{Decision, DecisionState},
    definition::{Definition, DefinitionHash},
    id::{DecisionId, JobId, LetterId, PipelineId, RunId},
    item::ItemKey,
    job::{Job, JobState, JobStateTag},
    name::{AgentName, DestinationName, GateName, ProjectKey},
    outbox::Letter,
    pipeline::{Event, EventKindTag, NewPipeline, Pipeline, PipelineStateTag, TimerKey},
    revision::TreeSha,
    run::Run,
    verdict::Verdict,
};
use jiff::Timestamp;
use ports::{
    Applied, Claim, DamagedRow, DueTimer, JobFilter, JobUpdate, LetterCount, LetterFilter, NextDue,
    PipelineFilter, ProjectRecord, Step, Store, StoreError, Stranded, TakeLetters,
};

use super::ModelStore;

#[async_trait]
impl Store for ModelStore {
    async fn save_project(&self, project: &ProjectRecord) -> Result<(), StoreError> {
        self.model().projects.insert(project.key.clone(), project.clone());
        Ok(())
    }

    async fn find_project(&self, key: &ProjectKey) -> Result<Option<ProjectRecord>, StoreError> {
        Ok(self.model().projects.get(key).cloned())
    }

    async fn list_projects(&self) -> Result<Vec<ProjectRecord>, StoreError> {
        Ok(self.model().projects.values().cloned().collect())
    }

    async fn save_definition(
        &self,
        hash: &DefinitionHash,
        definition: &Definition,
    ) -> Result<(), StoreError> {
        self.model().definitions.entry(hash.clone()).or_insert_with(|| definition.clone());
        Ok(())
    }

    async fn find_definition(
        &self,
        hash: &DefinitionHash,
    ) -> Result<Option<Definition>, StoreError> {
        Ok(self.model().definitions.get(hash).cloned())
    }

    async fn create_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, StoreError> {
        self.model().create_pipeline(new)
    }

    async fn find_pipeline(&self, id: PipelineId) -> Result<Option<Pipeline>, StoreError> {
        Ok(self.model().pipelines.get(&id).cloned())
    }

    async fn find_pipeline_of(&self, item: &ItemKey) -> Result<Option<PipelineId>, StoreError> {
        let model = self.model();
        Ok(model.pipelines.values().find(|it| it.item.key == *item).map(|it| it.id))
    }

    async fn list_pipelines(&self, filter: &PipelineFilter) -> Result<Vec<Pipeline>, StoreError> {
        let PipelineFilter { project, states, limit } = filter;
        let meant = |pipeline: &&Pipeline| {
            project.as_ref().is_none_or(|project| pipeline.project == *project)
                && (states.is_empty() || states.contains(&PipelineStateTag::from(&pipeline.state)))
        };
        let mut pipelines: Vec<Pipeline> =
            self.model().pipelines.values().filter(meant).cloned().collect();
        pipelines.sort_by_key(|pipeline| std::cmp::Reverse((pipeline.created_at, pipeline.id)));
        if *limit > 0 {
            pipelines.truncate(*limit as usize);
        }
        Ok(pipelines)
    }

    async fn apply(&self, step: &Step) -> Result<Applied, StoreError> {
        self.model().apply(step)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Job>, StoreError> {
        Ok(self.model().claim(claim))
    }

    async fn find_merging(
        &self,
        project: &ProjectKey,
        now: Timestamp,
    ) -> Result<Option<PipelineId>, StoreError> {
        let model = self.model();
        let lease = model.merge_leases.get(project).filter(|(_, expires_at)| *expires_at > now);
        Ok(lease.map(|(holder, _)| *holder))
    }

    async fn heartbeat(
        &self,
        leases: &[(JobId, u64)],
        until: Timestamp,
    ) -> Result<Vec<JobId>, StoreError> {
        Ok(self.model().heartbeat(leases, until))
    }

    async fn settle_job(&self, update: &JobUpdate) -> Result<bool, StoreError> {
        Ok(self.model().settle(update))
    }

    async fn list_jobs(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let JobFilter { pipeline, states } = filter;
        let meant = |job: &&Job| {
            pipeline.is_none_or(|pipeline| job.pipeline == pipeline)
                && (states.is_empty() || states.contains(&JobStateTag::from(&job.state)))
        };
        let mut jobs: Vec<Job> = self.model().jobs.values().filter(meant).cloned().collect();
        jobs.sort_by_key(|job| (job.created_at, job.id));
        Ok(jobs)
    }

    async fn list_due_timers(&self, now: Timestamp) -> Result<Vec<DueTimer>, StoreError> {
        let model = self.model();
        let due = model.timers.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<DueTimer> =
            due.map(|(&(pipeline, timer), &at)| DueTimer { pipeline, timer, at }).collect();
        due.sort_by_key(|timer| (timer.at, timer.pipeline, timer.timer));
        Ok(due)
    }

    async fn find_timer(
        &self,
        pipeline: PipelineId,
        timer: TimerKey,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.model().timers.get(&(pipeline, timer)).copied())
    }

    async fn drop_timer(&self, timer: &DueTimer) -> Result<(), StoreError> {
        let dropped = ((timer.pipeline, timer.timer), timer.at);
        self.model().timers.retain(|key, at| (*key, *at) != dropped);
        Ok(())
    }

    async fn next_due(
        &self,
        breakers: &BTreeMap<AgentName, BreakerKey>,
    ) -> Result<NextDue, StoreError> {
        Ok(self.model().next_due(breakers))
    }

    async fn load_breaker(&self, key: &BreakerKey) -> Result<Breaker, StoreError> {
        Ok(self.model().breaker(key))
    }

    async fn list_breakers(&self) -> Result<Vec<Breaker>, StoreError> {
        Ok(self.model().breakers.values().cloned().collect())
    }

    async fn save_breaker(&self, breaker: &Breaker) -> Result<bool, StoreError> {
        Ok(self.model().save_breaker(breaker))
    }

    async fn list_stranded(&self) -> Result<Vec<Stranded>, StoreError> {
        let model = self.model();
        let mut stranded: Vec<&Pipeline> =
            model.pipelines.values().filter(|pipeline| model.is_stranded(pipeline)).collect();
        stranded.sort_by_key(|pipeline| std::cmp::Reverse((pipeline.created_at, pipeline.id)));
        let found = |it: &&Pipeline| Stranded { pipeline: it.id, version: it.version };
        Ok(stranded.iter().map(found).collect())
    }

    async fn take_letters(&self, wish: &TakeLetters) -> Result<Vec<Letter>, StoreError> {
        Ok(self.model().take_letters(wish))
    }

    async fn settle_letter(&self, letter: &Letter) -> Result<bool, StoreError> {
        Ok(self.model().settle_letter(letter))
    }

    async fn next_letter(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.model().next_letter(destinations))
    }

    async fn find_letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        Ok(self.model().letters.get(&id).cloned())
    }

    async fn list_letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>, StoreError> {
        Ok(self.model().list_letters(filter))
    }

    async fn count_letters(&self) -> Result<Vec<LetterCount>, StoreError> {
        Ok(self.model().count_letters())
    }

    // Values in maps are whole.
    async fn find_damage(
        &self,
        _pipeline: Option<PipelineId>,
        _now: Timestamp,
    ) -> Result<Vec<DamagedRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn park_damaged(&self, _now: Timestamp) -> Result<Vec<DamagedRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn save_run(&self, run: &Run, token: u64) -> Result<bool, StoreError> {
        Ok(self.model().save_held_run(run, token))
    }

    async fn settle_run(&self, run: &Run) -> Result<bool, StoreError> {
        Ok(self.model().settle_run(run))
    }

    async fn find_run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.model().runs.get(&id).cloned())
    }

    async fn list_runs(&self, pipeline: PipelineId) -> Result<Vec<Run>, StoreError> {
        let mut runs: Vec<Run> =
            self.model().runs.values().filter(|run| run.pipeline == pipeline).cloned().collect();
        runs.sort_by_key(|run| (run.launched_at, run.id));
        Ok(runs)
    }

    async fn list_orphaned_runs(&self) -> Result<Vec<Run>, StoreError> {
        let model = self.model();
        let has_ended = |run: &&Run| {
            let state = model.jobs.get(&run.job).map(|job| &job.state);
            matches!(state, Some(JobState::Done | JobState::Failed | JobState::Cancelled))
        };
        let orphaned = model.runs.values().filter(|run| run.ended_at.is_none()).filter(has_ended);
        let mut orphaned: Vec<Run> = orphaned.cloned().collect();
        orphaned.sort_by_key(|run| (run.job, run.launched_at, run.id));
        Ok(orphaned)
    }

    async fn find_open_run(&self, job: JobId) -> Result<Option<Run>, StoreError> {
        let model = self.model();
        let open = model.runs.values().filter(|run| run.job == job && run.ended_at.is_none());
        Ok(open.max_by_key(|run| (run.launched_at, run.id)).cloned())
    }

    async fn find_decision(&self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        Ok(self.model().decisions.get(&id).cloned())
    }

    async fn list_decisions(
        &self,
        pipeline: Option<PipelineId>,
        only_open: bool,
    ) -> Result<Vec<Decision>, StoreError> {
        let meant = |decision: &&Decision| {
            pipeline.is_none_or(|pipeline| decision.pipeline == pipeline)
                && (!only_open || decision.state == DecisionState::Open)
        };
        let mut decisions: Vec<Decision> =
            self.model().decisions.values().filter(meant).cloned().collect();
        decisions.sort_by_key(|decision| (decision.opened_at, decision.id));
        Ok(decisions)
    }

    async fn list_verdicts(&self, pipeline: PipelineId) -> Result<Vec<Verdict>, StoreError> {
        let model = self.model();
        let verdicts = model.verdicts.iter().filter(|(owner, _)| *owner == pipeline);
        Ok(verdicts.map(|(_, verdict)| verdict.clone()).collect())
    }

    async fn find_verdict(
        &self,
        pipeline: PipelineId,
        gate: &GateName,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, StoreError> {
        let verdicts = self.list_verdicts(pipeline).await?;
        Ok(verdicts.into_iter().rfind(|verdict| verdict.gate == *gate && verdict.tree == *tree))
    }

    async fn list_events(
        &self,
        pipeline: Option<PipelineId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let model = self.model();
        let events = model.events.iter().filter(|event| event.seq > after);
        let meant =
            events.filter(|event| pipeline.is_none_or(|pipeline| event.pipeline == pipeline));
        Ok(meant.take(limit as usize).cloned().collect())
    }

    async fn find_last_event(
        &self,
        pipeline: PipelineId,
        kind: EventKindTag,
    ) -> Result<Option<Event>, StoreError> {
        let is_it =
            |event: &&Event| event.pipeline == pipeline && EventKindTag::from(&event.kind) == kind;
        Ok(self.model().events.iter().rfind(is_it).cloned())
    }
}
