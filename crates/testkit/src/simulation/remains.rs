//! What must hold at the end of a history: what is left, and where.

use std::collections::BTreeSet;

use domain::{
    definition::{Action, Stage},
    id::PipelineId,
    job::JobState,
    limits::JOB_LOST_MAX,
    name::StageName,
    outbox::LetterState,
    pipeline::{Delivered, Event, EventKind, PipelineState},
    revision::CommitSha,
    run::Run,
};

use super::{coverage, invariants::rests_on_something, play::Play, routes::routes_of};
use crate::store_model::Model;

impl Play<'_> {
    /// What must hold at the end of every history.
    pub(super) fn look_at_what_is_left(&self) {
        for id in self.pipelines() {
            if let Err((rule, what)) =
                self.store.pair.model.look(|model| rests_on_something(model, id))
            {
                self.record.violate(rule, what);
            }
            self.look_at_pipeline(id);
        }
        for id in self.left_behind() {
            self.record.violate("an end leaves nothing behind", format!("{id}: a workspace"));
        }
        self.look_at_runs();
        self.look_at_landings();
        self.look_at_letters();
        let damage = self.world.git.damage().or_else(|| self.world.sandbox.damage());
        if let Some(what) = damage {
            self.record.violate("the world is not damaged", what);
        }
    }

    fn look_at_pipeline(&self, id: PipelineId) {
        let state = self.state(id);
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
        if let PipelineState::Succeeded { delivered } = &state {
            self.look_at_delivery(id, delivered);
        }
    }

    /// Pipelines that have ended for good and have a workspace. One in which an agent has left what is not kept yet stays.
    pub(super) fn left_behind(&self) -> Vec<PipelineId> {
        let dirs = self.world.git.workspace_dirs();
        let is_left_behind = |id: &PipelineId| {
            let is_over = matches!(
                self.state(*id),
                PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. }
            );
            let waits = |run: &Run| run.pipeline == *id && run.ended_at.is_none();
            is_over
                && dirs.iter().any(|dir| dir.as_str().contains(&id.to_string()))
                && !self.store.pair.model.look(|model| model.runs.values().any(waits))
        };
        let mut ids = self.pipelines();
        ids.retain(is_left_behind);
        ids
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
                // One that waits inside of a pause is taken up when the pause is over; one that ended the process each
                // time, when a person wants somebody to work in its place.
                let job = &model.jobs[&run.job];
                let is_given_up = (job.state == JobState::Failed && job.budget.lost > JOB_LOST_MAX)
                    || run.salvages > JOB_LOST_MAX;
                let waits = is_given_up || matches!(job.state, JobState::Queued { .. });
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

    /// A target was moved as often for a pipeline as its log tells of a merge: twice with good reason where a definition
    /// merges twice, or a stage before a merge begins anew, and only there. How the last try ended may be known to nobody.
    fn look_at_landings(&self) {
        let landed = self.world.git.landed();
        for id in self.pipelines() {
            let of_pipeline = landed.iter().filter(|(_, text)| text.contains(&id.to_string()));
            let (told, is_the_end) = self
                .store
                .pair
                .model
                .look(|model| (merges_told(model, id), merges_at_the_end(model, id)));
            let count = of_pipeline.clone().count();
            if is_the_end && count > 1 {
                let what = format!("{id} was merged {count} times");
                self.record.violate("a merge happens once", what);
            }
            let untold = of_pipeline.rev().enumerate().filter(|(_, (it, _))| !told.contains(it));
            let may_be_untold = match self.state(id) {
                PipelineState::Succeeded { .. } => 0,
                PipelineState::Queued
                | PipelineState::Running { .. }
                | PipelineState::AwaitingHuman { .. }
                | PipelineState::Blocked { .. }
                | PipelineState::Paused { .. }
                | PipelineState::Failed { .. }
                | PipelineState::Cancelled { .. } => 1,
            };
            // No backup is brought back here.
            let is_untold = |event: &Event| {
                event.pipeline == id && matches!(event.kind, EventKind::MergedBefore { .. })
            };
            if self.store.pair.model.look(|model| model.events.iter().any(is_untold)) {
                self.record.violate("every merge is told", format!("{id} found one of its own"));
            }
            for (_, (commit, _)) in untold.skip_while(|(back, _)| *back < may_be_untold) {
                let what = format!("{id} was merged by {commit}, and its log does not tell of it");
                self.record.violate("a merge happens once", what);
            }
        }
    }

    /// Every letter has come to its end, was sent as often as somebody took it and no more, and destinations have what was
    /// delivered, in order.
    fn look_at_letters(&self) {
        let letters = self.store.pair.model.look(|model| model.letters.clone());
        for letter in letters.values() {
            // Each take is a version of the letter, and so is its end.
            let tries = self.world.destinations.tries(letter.destination.as_str());
            let tries = tries.iter().filter(|key| **key == letter.key()).count() as u64;
            if tries > letter.version.saturating_sub(1) {
                let what =
                    format!("{}: {tries} times, at version {}", letter.key(), letter.version);
                self.record.violate("a letter is sent once for each time it is taken", what);
            }
            let has = || self.world.destinations.has(letter.destination.as_str());
            match &letter.state {
                LetterState::Queued { .. } | LetterState::Sending { .. } => {
                    self.record.violate("every letter comes to its end", format!("{letter:?}"));
                }
                LetterState::Delivered { .. } => {
                    if has().iter().all(|other| other.key() != letter.key()) {
                        self.record.violate("what was delivered is there", letter.key());
                    }
                }
                LetterState::Dead { .. } | LetterState::Dropped { .. } => {}
            }
        }
        for route in routes_of(self.plan) {
            let mut last = 0;
            for letter in self.world.destinations.has(route.destination.as_str()) {
                if !letters.contains_key(&letter.id) {
                    self.record.violate("nothing is told that was not written", letter.key());
                }
                if letter.event.seq < last && !self.store.pair.was_retried(letter.id) {
                    self.record
                        .violate("letters arrive in the order of their events", letter.key());
                }
                last = last.max(letter.event.seq);
            }
        }
        // A process that was taken for dead, and is not, may be at it still.
        if let Some(key) = self.world.destinations.crowded().filter(|_| self.plan.nodes == 1) {
            self.record.violate("one letter at a time to a destination", key);
        }
    }
}

/// The commits that merging stages of a pipeline have passed with.
fn merges_told(model: &Model, id: PipelineId) -> BTreeSet<CommitSha> {
    let merging: Vec<&StageName> = merging_stages(model, id).map(|stage| &stage.name).collect();
    let told = model.events.iter().filter(|event| event.pipeline == id);
    let told = told.filter_map(|event| match &event.kind {
        EventKind::StagePassed { stage, commit, .. } if merging.contains(&stage) => {
            Some(commit.clone())
        }
        _ => None,
    });
    told.collect()
}

/// Whether a pipeline ends with the only merge of its definition: nobody can begin anything anew behind it.
fn merges_at_the_end(model: &Model, id: PipelineId) -> bool {
    let mut merging = merging_stages(model, id);
    merging.next().is_some_and(|stage| stage.on_pass.is_none()) && merging.next().is_none()
}

fn merging_stages(model: &Model, id: PipelineId) -> impl Iterator<Item = &Stage> {
    let definition = &model.definitions[&model.pipelines[&id].definition];
    let merges = |it: &&Stage| matches!(it.action, Some(Action::Merge | Action::Deliver));
    definition.stages.iter().filter(merges)
}
