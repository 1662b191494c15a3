//! What must hold after each commit, looked at in the model right behind it.

mod breakers;
mod decisions;
mod letters;
mod log;
mod merges;
mod queue;
mod rest;
mod runs;
mod timers;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use domain::{
    decision::DecisionState,
    id::{DecisionId, JobId, LetterId, PipelineId, RunId},
    job::{Job, JobStateTag},
    outbox::{LetterStateTag, Route},
    pipeline::{Event, Pipeline, TimerKey},
    run::Run,
};
use jiff::Timestamp;
use ports::{Applied, Caps, Claim, DueTimer, JobUpdate, Step};

pub(super) use self::rest::rests_on_something;
use self::{
    breakers::one_tries_behind_a_breaker,
    log::{
        events_have_no_gap, every_gate_was_passed, nothing_of_ours_breaks, the_log_tells_the_state,
        versions_rise_by_one,
    },
    merges::Merging,
    queue::{
        caps_hold, is_capped, starts_nothing_that_must_wait, what_is_not_its_fault_costs_nothing,
    },
    runs::results_end_their_runs,
    timers::timers_fire_when_they_are_due,
};
use super::{coverage, record::Record};
use crate::store_model::Model;

/// What a step found.
pub(super) struct Before {
    pipeline: Pipeline,
    job: Option<Job>,
    timers: BTreeMap<TimerKey, Timestamp>,
    last_event: u64,
}

/// What was seen so far, to tell what may not come back.
#[derive(Default)]
struct Seen {
    jobs: BTreeMap<JobId, (u64, JobStateTag)>,
    settled: BTreeMap<DecisionId, DecisionState>,
    runs: BTreeSet<RunId>,
    ended_runs: BTreeMap<RunId, Run>,
    counted_runs: BTreeSet<RunId>,
    dropped_timers: BTreeSet<(PipelineId, TimerKey)>,
    merging: BTreeMap<PipelineId, Merging>,
    letters: BTreeMap<LetterId, LetterStateTag>,
    /// Letters that a person had tried again: they come after those that were behind them.
    retried: BTreeSet<LetterId>,
}

/// Looks at every commit.
pub(super) struct Watch {
    record: Arc<Record>,
    caps: Caps,
    routes: Vec<Route>,
    seen: Mutex<Seen>,
}

/// A rule and how it is broken.
type Broken = (&'static str, String);

fn broken<T>(rule: &'static str, what: impl Into<String>) -> Result<T, Broken> {
    Err((rule, what.into()))
}

impl Watch {
    pub(super) fn new(record: Arc<Record>, caps: Caps, routes: Vec<Route>) -> Self {
        Self { record, caps, routes, seen: Mutex::default() }
    }

    /// What a step is going to change.
    pub(super) fn before(model: &Model, step: &Step) -> Option<Before> {
        let id = step.pipeline.id;
        let pipeline = model.pipelines.get(&id)?.clone();
        let job = step.job.as_ref().and_then(|update| model.jobs.get(&update.job)).cloned();
        let timers = model.timers.iter().filter(|((owner, _), _)| *owner == id);
        let timers = timers.map(|((_, timer), at)| (*timer, *at)).collect();
        let last_event = events_of(model, id).map(|event| event.number).max().unwrap_or(0);
        Some(Before { pipeline, job, timers, last_event })
    }

    /// A step was written, or not.
    pub(super) fn applied(
        &self,
        model: &Model,
        caller: &str,
        step: &Step,
        before: Option<&Before>,
        applied: Applied,
    ) {
        let (Applied::Done { .. }, Some(before)) = (applied, before) else {
            self.judge(self.jobs(model, None));
            return;
        };
        self.record.moved(coverage::label(&before.pipeline.state), coverage::input_of(step));
        let checks = [
            versions_rise_by_one(step, before),
            events_have_no_gap(model, step, before),
            self.only_the_holder_counts(caller, step, before),
            what_is_not_its_fault_costs_nothing(step, before),
            timers_fire_when_they_are_due(step, before),
            every_gate_was_passed(model, step, before),
            nothing_of_ours_breaks(step),
            the_log_tells_the_state(step),
            self.results_count_once(step),
            results_end_their_runs(model, step),
            self.letters_are_written(model, step),
            self.letter_is_told(step),
            self.timers_are_not_forgotten(model, step),
            self.jobs(model, None),
            self.decisions_are_final(model),
            rests_on_something(model, step.pipeline.id),
        ];
        for check in checks {
            self.judge(check);
        }
        self.merge_goes_on(model, step);
        for run in &step.runs {
            self.run_saved(model, run);
        }
    }

    /// Jobs were given out.
    pub(super) fn claimed(&self, model: &Model, claim: &Claim, jobs: &[Job]) {
        self.judge(self.jobs(model, Some(claim)));
        if jobs.iter().any(is_capped) {
            self.judge(caps_hold(model, &self.caps));
        }
        for job in jobs {
            self.judge(starts_nothing_that_must_wait(model, job));
            self.judge(one_tries_behind_a_breaker(model, claim, job));
            self.judge(self.one_merges_at_a_time(model, job, claim.now));
        }
        self.leases_are_renewed(model);
    }

    pub(super) fn beaten(&self, model: &Model) {
        self.judge(self.jobs(model, None));
        self.leases_are_renewed(model);
    }

    /// A job was ended by itself, or not.
    pub(super) fn settled(&self, model: &Model, update: &JobUpdate, settled: bool) {
        self.judge(self.jobs(model, None));
        if let Some(job) = model.jobs.get(&update.job).filter(|_| settled) {
            self.judge(rests_on_something(model, job.pipeline));
        }
    }

    pub(super) fn timer_dropped(&self, timer: &DueTimer) {
        self.seen().dropped_timers.insert((timer.pipeline, timer.timer));
    }

    fn judge(&self, check: Result<(), Broken>) {
        if let Err((rule, what)) = check {
            self.record.violate(rule, what);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics while holding it")
    }
}

fn events_of(model: &Model, id: PipelineId) -> impl DoubleEndedIterator<Item = &Event> {
    model.events.iter().filter(move |event| event.pipeline == id)
}
