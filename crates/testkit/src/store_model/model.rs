//! The maps, and how a step changes them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    breaker::{Breaker, BreakerKey},
    decision::{Decision, DecisionState},
    definition::{Definition, DefinitionHash},
    id::{DecisionId, JobId, LetterId, PipelineId, RunId},
    job::{Job, JobInput, JobKind, JobState},
    name::ProjectKey,
    outbox::Letter,
    pipeline::{Event, NewPipeline, Pipeline, TimerKey},
    run::Run,
    verdict::Verdict,
};
use jiff::Timestamp;
use ports::{Applied, ProjectRecord, Step, StoreError, TimerChange};

/// Everything that is remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) projects: BTreeMap<ProjectKey, ProjectRecord>,
    pub(crate) definitions: BTreeMap<DefinitionHash, Definition>,
    pub(crate) pipelines: BTreeMap<PipelineId, Pipeline>,
    pub(crate) inputs: BTreeSet<String>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) breakers: BTreeMap<BreakerKey, Breaker>,
    /// Who may merge in a project, and until when.
    pub(crate) merge_leases: BTreeMap<ProjectKey, (PipelineId, Timestamp)>,
    pub(crate) timers: BTreeMap<(PipelineId, TimerKey), Timestamp>,
    pub(crate) decisions: BTreeMap<DecisionId, Decision>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) verdicts: Vec<(PipelineId, Verdict)>,
    pub(crate) events: Vec<Event>,
    pub(crate) letters: BTreeMap<LetterId, Letter>,
}

/// What a database would say about a row that belongs to nothing, or that is there already.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Impossible(&'static str);

pub(super) fn impossible(operation: &'static str, what: &'static str) -> StoreError {
    StoreError::Database { operation, source: Box::new(Impossible(what)) }
}

impl Model {
    pub(super) fn create_pipeline(&mut self, new: &NewPipeline) -> Result<Pipeline, StoreError> {
        let operation = "create the pipeline";
        if !self.projects.contains_key(&new.project) {
            return Err(impossible(operation, "there is no such project"));
        }
        if !self.definitions.contains_key(&new.definition) {
            return Err(impossible(operation, "there is no such definition"));
        }
        if self.pipelines.contains_key(&new.id) {
            return Err(impossible(operation, "there is one of that id"));
        }
        let of_project = self.pipelines.values().filter(|pipeline| pipeline.project == new.project);
        let last = of_project.map(|pipeline| pipeline.item.key.number).max().unwrap_or(0);
        let numbered = new.numbered(last.max(new.number_above) + 1);
        let pipeline = numbered
            .map_err(|error| StoreError::Database { operation, source: Box::new(error) })?;
        self.pipelines.insert(pipeline.id, pipeline.clone());
        Ok(pipeline)
    }

    pub(super) fn apply(&mut self, step: &Step) -> Result<Applied, StoreError> {
        if self.inputs.contains(&step.input) {
            return Ok(Applied::Duplicate);
        }
        if step.job.as_ref().is_some_and(|update| !self.is_held(update)) {
            return Ok(Applied::Fenced);
        }
        if step.letter.as_ref().is_some_and(|letter| !self.is_seen(letter)) {
            return Ok(Applied::Fenced);
        }
        let stored = self.pipelines.get(&step.pipeline.id);
        if stored.is_none_or(|stored| stored.version + 1 != step.pipeline.version) {
            return Ok(Applied::Stale);
        }
        if step.breaker.as_ref().is_some_and(|breaker| !self.is_next(breaker)) {
            return Ok(Applied::Stale);
        }
        // All of it or nothing.
        let mut next = self.clone();
        next.write(step)?;
        *self = next;
        Ok(Applied::Done { seq: self.events.last().map_or(0, |event| event.seq) })
    }

    fn write(&mut self, step: &Step) -> Result<(), StoreError> {
        let id = step.pipeline.id;
        self.inputs.insert(step.input.clone());
        self.pipelines.insert(id, step.pipeline.clone());
        if let Some(update) = &step.job {
            self.settle(update);
        }
        if let Some(breaker) = &step.breaker {
            self.save_breaker(breaker);
        }
        if step.cancel_jobs {
            self.cancel_older(&step.pipeline, step.at);
        }
        for job in &step.jobs {
            self.enqueue(job)?;
        }
        for decision in &step.opened {
            if self.decisions.insert(decision.id, decision.clone()).is_some() {
                return Err(impossible("open a decision", "there is one of that id"));
            }
        }
        for (decision, state) in &step.closed {
            if let Some(open) = self
                .decisions
                .get_mut(decision)
                .filter(|decision| decision.state == DecisionState::Open)
            {
                open.state = state.clone();
            }
        }
        for change in &step.timers {
            self.change_timer(id, *change);
        }
        if step.release_merge_lease {
            self.merge_leases
                .retain(|project, (holder, _)| project != &step.pipeline.project || *holder != id);
        }
        self.verdicts.extend(step.verdicts.iter().map(|verdict| (id, verdict.clone())));
        for run in &step.runs {
            self.save_run(run)?;
        }
        if let Some(letter) = &step.letter {
            self.settle_letter(letter);
        }
        let before = self.events.len();
        self.append_events(step);
        let told = self.events[before..].to_vec();
        step.letters.iter().try_for_each(|letter| self.post(letter, &step.pipeline, &told))
    }

    fn cancel_older(&mut self, pipeline: &Pipeline, now: Timestamp) {
        let older = self
            .jobs
            .values_mut()
            .filter(|job| job.pipeline == pipeline.id && job.slot.epoch < pipeline.epoch);
        for job in older.filter(|job| job.slot.work.kind() != JobKind::Cleanup) {
            // One that has ended cannot be cancelled, and stays.
            if let Ok(next) = job.decide(&JobInput::Cancel, now) {
                job.state = next.state;
                job.budget = next.budget;
            }
        }
    }

    fn enqueue(&mut self, job: &Job) -> Result<(), StoreError> {
        if self.jobs.values().any(|other| other.pipeline == job.pipeline && other.slot == job.slot)
        {
            return Ok(());
        }
        match self.jobs.insert(job.id, job.clone()) {
            None => Ok(()),
            Some(_) => Err(impossible("queue a job", "there is one of that id")),
        }
    }

    fn change_timer(&mut self, pipeline: PipelineId, change: TimerChange) {
        match change {
            TimerChange::Arm { timer, at } => drop(self.timers.insert((pipeline, timer), at)),
            TimerChange::Fired { timer } => drop(self.timers.remove(&(pipeline, timer))),
            TimerChange::DisarmAll => self.timers.retain(|(owner, _), _| *owner != pipeline),
        }
    }

    pub(super) fn save_run(&mut self, run: &Run) -> Result<(), StoreError> {
        if !self.jobs.contains_key(&run.job) || !self.pipelines.contains_key(&run.pipeline) {
            return Err(impossible("save the run", "its job or pipeline does not exist"));
        }
        // One that has ended stays as it ended.
        if self.runs.get(&run.id).is_none_or(|stored| stored.ended_at.is_none()) {
            self.runs.insert(run.id, run.clone());
        }
        Ok(())
    }

    pub(super) fn save_held_run(&mut self, run: &Run, token: u64) -> bool {
        let is_open = self.runs.get(&run.id).is_none_or(|stored| stored.ended_at.is_none());
        let is_held = self.jobs.get(&run.job).is_some_and(
            |job| matches!(&job.state, JobState::Running { lease } if lease.token == token),
        );
        let is_written = is_open && is_held;
        if is_written {
            self.runs.insert(run.id, run.clone());
        }
        is_written
    }

    pub(super) fn settle_run(&mut self, run: &Run) -> bool {
        let open = self.runs.get_mut(&run.id).filter(|stored| stored.ended_at.is_none());
        let Some(stored) = open else { return false };
        let has_ended = self.jobs.get(&stored.job).is_some_and(|job| {
            matches!(job.state, JobState::Done | JobState::Failed | JobState::Cancelled)
        });
        if has_ended {
            *stored = run.clone();
        }
        has_ended
    }

    fn append_events(&mut self, step: &Step) {
        let pipeline = step.pipeline.id;
        for kind in &step.events {
            let of_pipeline = self.events.iter().filter(|event| event.pipeline == pipeline);
            let number = of_pipeline.map(|event| event.number).max().unwrap_or(0) + 1;
            let seq = self.events.last().map_or(0, |event| event.seq) + 1;
            let (version, at, actor, kind) =
                (step.pipeline.version, step.at, step.actor.clone(), kind.clone());
            self.events.push(Event { seq, pipeline, number, version, at, actor, kind });
        }
    }
}
