//! The end of a history: nothing goes wrong any more, people answer or do not, and everything comes to rest.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    decision::{Choice, DecisionKind, DecisionState},
    id::PipelineId,
    job::JobState,
    limits::LIVENESS_CHECK,
    pipeline::{Delivered, EventKind, Input, PipelineState},
};
use ports::StoreError;

use super::{coverage, invariants::rests_on_something, play::Play};

/// How long it may take until everything rests, people having said what they have to say.
const REST_WITHIN: Duration = Duration::from_hours(4);
/// Turns of the clock within which it has to, should time stand still.
const TURNS_MAX: u32 = 20_000;
/// How often people look whether anything waits for them.
const ROUNDS_MAX: u32 = 40;
/// How often they have the same pipeline try again before they give up.
const PATIENCE_OF_PEOPLE: u32 = 6;

impl Play<'_> {
    /// Brings the history to its end and looks at what is left.
    pub(super) async fn ending(&mut self) -> Result<(), StoreError> {
        self.calm();
        self.start_nodes();
        let mut asked = BTreeMap::new();
        for _ in 0..ROUNDS_MAX {
            self.rest().await;
            if self.record.is_violated() {
                return Ok(());
            }
            if !self.plan.people_answer || !self.people_answer(&mut asked) {
                self.last_round().await;
                self.look_at_what_is_left();
                self.end();
                self.settle().await;
                self.store.compare_everything().await?;
                return Ok(());
            }
        }
        self.record.violate("everything comes to an end", self.story());
        Ok(())
    }

    /// Lets time pass until no job is left that anybody could do.
    async fn rest(&mut self) {
        let end = self.now() + REST_WITHIN;
        for _ in 0..TURNS_MAX {
            self.log_in();
            self.settle().await;
            self.calm();
            if self.record.is_violated() || self.rests() {
                return;
            }
            if self.start_nodes() {
                continue;
            }
            if self.now() >= end || !self.next_time(Some(end)) {
                break;
            }
        }
        self.record.violate("everything comes to rest", self.story());
    }

    /// What nobody was told of is found by whoever looks once in a while.
    async fn last_round(&mut self) {
        if self.store.pair.model.look(|model| model.runs.values().any(|run| run.ended_at.is_none()))
        {
            self.start_nodes();
            self.wait(2 * LIVENESS_CHECK).await;
        }
    }

    /// Whether no job is left that anybody could do, and nobody is doing one.
    fn rests(&self) -> bool {
        self.store.pair.model.look(|model| {
            !model.jobs.values().any(|job| match job.state {
                JobState::Running { .. } => true,
                JobState::Queued { .. } => !model.is_paused(job.pipeline),
                JobState::Done | JobState::Failed | JobState::Cancelled => false,
            })
        })
    }

    /// People look once. Says whether anything waited for them.
    fn people_answer(&mut self, asked: &mut BTreeMap<PipelineId, u32>) -> bool {
        let mut any = false;
        for id in self.pipelines() {
            let state = self.state(id);
            let patience = asked.entry(id).or_default();
            if let PipelineState::Paused { .. } = state {
                self.ask(id, Input::Resume);
            } else if let Some(decision) = self.question(id, true) {
                *patience += 1;
                let gives_up = *patience > PATIENCE_OF_PEOPLE;
                let choice = match decision.kind {
                    DecisionKind::Approval => Choice::Approve,
                    _ if gives_up => Choice::Cancel,
                    DecisionKind::Question => Choice::Answer,
                    DecisionKind::Escalation | DecisionKind::Limit => decision.options[0],
                };
                self.answer(decision, choice);
            } else {
                continue;
            }
            any = true;
        }
        any
    }

    fn state(&self, id: PipelineId) -> PipelineState {
        self.store.pair.model.look(|model| model.pipelines[&id].state.clone())
    }

    /// What must hold at the end of every history.
    fn look_at_what_is_left(&self) {
        for id in self.pipelines() {
            if let Err((rule, what)) =
                self.store.pair.model.look(|model| rests_on_something(model, id))
            {
                self.record.violate(rule, what);
            }
            self.look_at_pipeline(id);
        }
        self.look_at_runs();
        self.look_at_landings();
        let damage = self.world.git.damage().or_else(|| self.world.sandbox.damage());
        if let Some(what) = damage {
            self.record.violate("the world is not damaged", what);
        }
    }

    fn look_at_pipeline(&self, id: PipelineId) {
        let state = self.state(id);
        let label = coverage::label(&state);
        let waits = match &state {
            PipelineState::Queued
            | PipelineState::Succeeded { .. }
            | PipelineState::Failed { .. }
            | PipelineState::Cancelled { .. } => true,
            PipelineState::AwaitingHuman { .. }
            | PipelineState::Blocked { .. }
            | PipelineState::Paused { .. } => !self.plan.people_answer,
            PipelineState::Running { .. } => false,
        };
        if !waits {
            self.record.violate("everything comes to an end", self.story());
        }
        let dirs = self.world.git.workspace_dirs();
        let keeps = dirs.iter().any(|dir| dir.as_str().contains(&id.to_string()));
        let is_over =
            matches!(state, PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. });
        if is_over && keeps {
            self.record
                .violate("an end leaves nothing behind", format!("{id}, {label}: a workspace"));
        }
        if let PipelineState::Succeeded { delivered } = &state {
            self.look_at_delivery(id, delivered);
        }
    }

    /// What a pipeline says that it has delivered is there.
    fn look_at_delivery(&self, id: PipelineId, delivered: &Delivered) {
        let (project, target, branch) = self.store.pair.model.look(|model| {
            let pipeline = &model.pipelines[&id];
            (pipeline.project.clone(), pipeline.target.clone(), pipeline.branch.clone())
        });
        let (commit, place) = match delivered {
            Delivered::Branch { head } => (head, branch),
            Delivered::Merged { commit } => (commit, target),
        };
        if !self.world.git.people_have(&project, place.as_str(), commit) {
            self.record
                .violate("what was delivered is there", format!("{id}: {commit} on {place}"));
        }
    }

    /// No run is open without an agent, no agent is at work without a run, and none was launched twice.
    fn look_at_runs(&self) {
        let running = self.world.sandbox.running();
        self.store.pair.model.look(|model| {
            for run in model.runs.values() {
                let dir = format!("/data/runs/{}/agent", run.id);
                let launches = self.world.sandbox.launches_in(dir.as_str().into());
                if launches > 1 {
                    let what = format!("{} was launched {launches} times", run.id);
                    self.record.violate("an agent is launched once", what);
                }
                // One that waits inside of a pause is taken up when the pause is over.
                let waits = matches!(model.jobs[&run.job].state, JobState::Queued { .. });
                if run.ended_at.is_none() && !waits {
                    let state = coverage::label(&model.pipelines[&run.pipeline].state);
                    let what = format!("{} of a pipeline that is {state}", run.id);
                    self.record.violate("no run is left open", what);
                }
            }
        });
        let waits = |dir: &&camino::Utf8PathBuf| {
            self.store.pair.model.look(|model| {
                let run =
                    model.runs.values().find(|run| dir.as_str().contains(&run.id.to_string()));
                let job = run.map(|run| &model.jobs[&run.job].state);
                matches!(job, Some(JobState::Queued { .. }))
            })
        };
        if let Some(dir) = running.iter().find(|dir| !waits(dir)) {
            self.record.violate("no agent is left at work", dir.to_string());
        }
    }

    /// No target was moved twice for one pipeline.
    fn look_at_landings(&self) {
        let landed = self.world.git.landed();
        for id in self.pipelines() {
            let of_pipeline = landed.iter().filter(|message| message.contains(&id.to_string()));
            let count = of_pipeline.count();
            if count > 1 {
                let what = format!("{id} was merged {count} times");
                self.record.violate("a merge happens once", what);
            }
        }
    }

    /// Where everything is, for whoever has to find out why.
    fn story(&self) -> String {
        self.store.pair.model.look(|model| {
            let pipelines = model
                .pipelines
                .values()
                .map(|pipeline| format!("{} is {}", pipeline.id, coverage::label(&pipeline.state)));
            let live = model.jobs.values().filter(|job| {
                matches!(job.state, JobState::Queued { .. } | JobState::Running { .. })
            });
            let jobs = live.map(|job| format!("{} of {}: {:?}", job.slot, job.pipeline, job.state));
            let open = model.decisions.values().filter(|it| it.state == DecisionState::Open);
            let asks = open.map(|it| format!("{} asks {:?}", it.pipeline, it.question));
            let last = model.events.iter().rev().take(8);
            let last = last.map(|event| match &event.kind {
                EventKind::JobFailed { failure, .. } | EventKind::JobRetried { failure, .. } => {
                    format!("{} {}: {}", event.at, event.pipeline, failure.message)
                }
                kind => format!("{} {}: {kind:?}", event.at, event.pipeline),
            });
            pipelines.chain(jobs).chain(asks).chain(last).collect::<Vec<_>>().join("\n  ")
        })
    }
}
