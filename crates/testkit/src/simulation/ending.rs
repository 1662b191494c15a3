//! The end of a history: nothing goes wrong any more, people answer or do not, and everything comes to rest.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    decision::{Choice, DecisionKind, DecisionState},
    id::PipelineId,
    job::JobState,
    limits::LIVENESS_CHECK,
    outbox::{Letter, LetterState},
    pipeline::{EventKind, Input, PipelineState},
};
use ports::{Store as _, StoreError};

use super::{coverage, play::Play, routes::routes_of};

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
            self.rest().await?;
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
    async fn rest(&mut self) -> Result<(), StoreError> {
        let end = self.now() + REST_WITHIN;
        for _ in 0..TURNS_MAX {
            self.log_in();
            self.settle().await;
            self.calm();
            let rests = self.rests() && !self.is_anybody_late();
            if self.record.is_violated() || (rests && !self.has_letters_left()) {
                return Ok(());
            }
            // Whoever was woken by that has something to do before time passes again.
            if rests && self.wait_for_letters().await? {
                continue;
            }
            if self.start_nodes() {
                continue;
            }
            if self.now() >= end || !self.next_time(Some(end)) {
                break;
            }
        }
        self.record.violate("everything comes to rest", self.story());
        Ok(())
    }

    /// What nobody was told of is found by whoever looks once in a while.
    async fn last_round(&mut self) {
        let has_open_runs = self
            .store
            .pair
            .model
            .look(|model| model.runs.values().any(|run| run.ended_at.is_none()));
        if has_open_runs || !self.left_behind().is_empty() {
            self.start_nodes();
            self.wait(2 * LIVENESS_CHECK).await;
        }
    }

    fn has_letters_left(&self) -> bool {
        self.store.pair.model.look(|model| {
            let is_left = |letter: &Letter| {
                matches!(letter.state, LetterState::Queued { .. } | LetterState::Sending { .. })
            };
            model.letters.values().any(is_left)
        })
    }

    /// A process that ends when nothing is left to do waits for no letter that is due later: the next one, which somebody
    /// starts by then, sends it. Says whether time has passed.
    async fn wait_for_letters(&mut self) -> Result<bool, StoreError> {
        let destinations: Vec<_> =
            routes_of(self.plan).into_iter().map(|route| route.destination).collect();
        let before = self.now();
        if self.plan.returns
            && let Some(due) = self.store.next_letter(&destinations).await?
        {
            self.next_time(Some(due.max(before)));
        }
        Ok(self.now() > before)
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

    pub(super) fn state(&self, id: PipelineId) -> PipelineState {
        self.store.pair.model.look(|model| model.pipelines[&id].state.clone())
    }

    /// Where everything is, for whoever has to find out why.
    pub(super) fn story(&self) -> String {
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
