//! What must hold after each commit, looked at in the model right behind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use domain::{
    decision::{DecisionState, DecisionStateTag},
    failure::FailureClass,
    id::{DecisionId, JobId, PipelineId, RunId},
    job::{Job, JobKind, JobState, JobStateTag, Work},
    limits::{JOB_ATTEMPTS_MAX, JOB_LOST_MAX, JOB_TRANSIENT_ATTEMPTS_MAX, LEASE_TTL},
    name::ProjectKey,
    pipeline::{Event, EventKind, Pipeline, PipelineState, Step as AttemptStep, TimerKey},
    run::Run,
    verdict::VerdictOutcome,
};
use jiff::Timestamp;
use ports::{Applied, Caps, Claim, DueTimer, JobUpdate, Step, TimerChange};

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
}

/// A merge under way: between its candidate and its landing.
struct Merging {
    project: ProjectKey,
    epoch: u32,
    /// When others may merge, as far as is known.
    until: Timestamp,
}

/// Looks at every commit.
pub(super) struct Watch {
    record: Arc<Record>,
    caps: Caps,
    seen: Mutex<Seen>,
}

/// A rule and how it is broken.
type Broken = (&'static str, String);

fn broken<T>(rule: &'static str, what: impl Into<String>) -> Result<T, Broken> {
    Err((rule, what.into()))
}

impl Watch {
    pub(super) fn new(record: Arc<Record>, caps: Caps) -> Self {
        Self { record, caps, seen: Mutex::default() }
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
            self.judge(self.one_merges_at_a_time(model, job, claim.now));
        }
        self.leases_are_renewed(model);
    }

    pub(super) fn beaten(&self, model: &Model) {
        self.judge(self.jobs(model, None));
        self.leases_are_renewed(model);
    }

    /// A merge has a candidate, or none any more.
    fn merge_goes_on(&self, model: &Model, step: &Step) {
        let Pipeline { id, project, epoch, state, .. } = &step.pipeline;
        let mut seen = self.seen();
        let merges =
            matches!(state, PipelineState::Running { attempt } if attempt.candidate.is_some());
        if !merges || seen.merging.get(id).is_some_and(|merging| merging.epoch != *epoch) {
            seen.merging.remove(id);
            return;
        }
        let began = step.events.iter().any(|event| matches!(event, EventKind::Integrated { .. }));
        if began {
            let until = step.at.saturating_add(LEASE_TTL).unwrap_or(Timestamp::MAX);
            let lease = model.merge_leases.get(project).filter(|(holder, _)| holder == id);
            // The step that found the candidate may not give the lease away.
            let until = lease.map_or(until, |(_, until)| *until);
            seen.merging.insert(*id, Merging { project: project.clone(), epoch: *epoch, until });
        }
    }

    fn leases_are_renewed(&self, model: &Model) {
        for (id, merging) in &mut self.seen().merging {
            if let Some((holder, until)) = model.merge_leases.get(&merging.project)
                && holder == id
            {
                merging.until = *until;
            }
        }
    }

    /// Nobody merges while another's candidate is being judged, unless its lease has run out.
    fn one_merges_at_a_time(&self, model: &Model, job: &Job, now: Timestamp) -> Result<(), Broken> {
        if !job.exclusive {
            return Ok(());
        }
        let others = model.jobs.values().find(|other| {
            other.exclusive
                && other.project == job.project
                && other.pipeline != job.pipeline
                && matches!(&other.state, JobState::Running { lease } if lease.expires_at > now)
        });
        if let Some(other) = others {
            let what = format!("{} beside {}", job.pipeline, other.pipeline);
            return broken("one merges at a time", what);
        }
        let seen = self.seen();
        let overtaken = seen.merging.iter().find(|(id, merging)| {
            **id != job.pipeline && merging.project == job.project && merging.until > now
        });
        match overtaken {
            None => Ok(()),
            Some((id, _)) => {
                broken("one merges at a time", format!("{} overtakes {id}", job.pipeline))
            }
        }
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

    /// A run was recorded by itself, not with a step.
    pub(super) fn run_saved_alone(&self, model: &Model, run: &Run) {
        let state = JobStateTag::from(&model.jobs[&run.job].state);
        let is_live = matches!(state, JobStateTag::Queued | JobStateTag::Running);
        if run.ended_at.is_some() && is_live {
            let what = format!("{} of a job that is {state}", run.id);
            self.record.violate("a run ends with the report of its job", what);
        }
        let has_reported = matches!(state, JobStateTag::Done | JobStateTag::Failed);
        if run.ended_at.is_none() && has_reported && self.seen().runs.insert(run.id) {
            let what = format!("{} of a job that is {state}", run.id);
            self.record.violate("a job that has ended starts nothing", what);
        }
        self.seen().runs.insert(run.id);
    }

    /// A run was recorded, or its end.
    pub(super) fn run_saved(&self, model: &Model, run: &Run) {
        let mut seen = self.seen();
        if let Some(ended) = seen.ended_runs.get(&run.id).filter(|ended| *ended != run) {
            let what = format!("{} ended {:?}, now {:?}", run.id, ended.outcome, run.outcome);
            self.record.violate("a run ends once", what);
        }
        if run.ended_at.is_some() {
            seen.ended_runs.insert(run.id, run.clone());
        }
        let open = model.runs.values().filter(|it| it.job == run.job && it.ended_at.is_none());
        if open.count() > 1 {
            self.record.violate("one run of a job at a time", format!("{run:?} beside another"));
        }
    }

    /// Jobs move as their leases allow.
    fn jobs(&self, model: &Model, claim: Option<&Claim>) -> Result<(), Broken> {
        let mut seen = self.seen();
        let mut slots = BTreeSet::new();
        for job in model.jobs.values() {
            let tag = JobStateTag::from(&job.state);
            let is_live = matches!(tag, JobStateTag::Queued | JobStateTag::Running);
            if is_live && !slots.insert((job.pipeline, &job.slot)) {
                return broken("one live job a slot", format!("{} of {}", job.slot, job.pipeline));
            }
            if job.budget.attempts > JOB_ATTEMPTS_MAX
                || job.budget.transient_attempts > JOB_TRANSIENT_ATTEMPTS_MAX
                || job.budget.lost > JOB_LOST_MAX + 1
            {
                return broken("budgets hold", format!("{}: {:?}", job.slot, job.budget));
            }
            let Some((claims, was)) = seen.jobs.insert(job.id, (job.claims, tag)) else { continue };
            let was_claimed = claim.is_some() && was == JobStateTag::Queued;
            if job.claims != claims && !(was_claimed && job.claims == claims + 1) {
                let what = format!("{}: {claims} became {}", job.slot, job.claims);
                return broken("a fencing token rises by one with every claim", what);
            }
            if tag == JobStateTag::Running && was != tag && job.claims == claims {
                return broken("a job starts with a claim", job.slot.to_string());
            }
            let had_ended = !matches!(was, JobStateTag::Queued | JobStateTag::Running);
            if had_ended && tag != was {
                return broken("a job ends once", format!("{}: {was} became {tag}", job.slot));
            }
        }
        Ok(())
    }

    /// A report counts for whoever has the lease, and a job is taken back from nobody who is at work.
    fn only_the_holder_counts(
        &self,
        caller: &str,
        step: &Step,
        before: &Before,
    ) -> Result<(), Broken> {
        let reports = step.input.starts_with("job/");
        let (Some(update), Some(job)) = (&step.job, &before.job) else {
            if reports || step.input.starts_with("expire/") {
                return broken("only the holder of a lease counts", step.input.clone());
            }
            return Ok(());
        };
        let JobState::Running { lease } = &job.state else {
            return broken(
                "only the holder of a lease counts",
                format!("{} is {:?}", job.slot, job.state),
            );
        };
        if update.token != lease.token {
            return broken(
                "only the holder of a lease counts",
                format!("{} with {}", job.slot, update.token),
            );
        }
        if reports && lease.owner != caller {
            return broken(
                "only the holder of a lease counts",
                format!("{caller} reports {}, which {} has", job.slot, lease.owner),
            );
        }
        let at_work = self.record.is_alive(&lease.owner) && lease.expires_at > step.at;
        if !reports && lease.owner != caller && at_work {
            let what = format!("{caller} takes {} from {}", job.slot, lease.owner);
            return broken("nobody at work is taken for dead", what);
        }
        Ok(())
    }

    /// The result of a run is counted once, and never that of another run of the same job.
    fn results_count_once(&self, step: &Step) -> Result<(), Broken> {
        let mut seen = self.seen();
        for event in &step.events {
            if let EventKind::AgentFinished { run, .. } = event
                && !seen.counted_runs.insert(*run)
            {
                return broken("a result counts once", run.to_string());
            }
        }
        Ok(())
    }

    /// Whoever has a wall time has its timer, until it has fired.
    fn timers_are_not_forgotten(&self, model: &Model, step: &Step) -> Result<(), Broken> {
        let id = step.pipeline.id;
        let timer = TimerKey::WallTime;
        let mut seen = self.seen();
        if step.timers.iter().any(|change| matches!(change, TimerChange::Arm { .. })) {
            seen.dropped_timers.remove(&(id, timer));
        }
        let definition = &model.definitions[&step.pipeline.definition];
        let state = match &step.pipeline.state {
            PipelineState::Paused { inner } => inner,
            state => state,
        };
        let needs_it =
            matches!(state, PipelineState::Running { .. } | PipelineState::AwaitingHuman { .. })
                && definition.limits.wall_time.is_some();
        let has_it = model.timers.contains_key(&(id, timer));
        if needs_it && !has_it && !seen.dropped_timers.contains(&(id, timer)) {
            return broken("no timer is forgotten", format!("{id} has no wall time any more"));
        }
        Ok(())
    }

    fn decisions_are_final(&self, model: &Model) -> Result<(), Broken> {
        let mut seen = self.seen();
        for decision in model.decisions.values() {
            if DecisionStateTag::from(&decision.state) == DecisionStateTag::Open {
                continue;
            }
            let first = seen.settled.entry(decision.id).or_insert_with(|| decision.state.clone());
            if *first != decision.state {
                let what = format!("{}: {first:?} became {:?}", decision.id, decision.state);
                return broken("an answer is final", what);
            }
        }
        Ok(())
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

fn versions_rise_by_one(step: &Step, before: &Before) -> Result<(), Broken> {
    let (was, is) = (before.pipeline.version, step.pipeline.version);
    if is == was + 1 {
        Ok(())
    } else {
        broken("a version rises by one", format!("{was} became {is}"))
    }
}

fn events_have_no_gap(model: &Model, step: &Step, before: &Before) -> Result<(), Broken> {
    let new = events_of(model, step.pipeline.id).filter(|event| event.number > before.last_event);
    let numbers: Vec<u64> = new.map(|event| event.number).collect();
    let first = before.last_event + 1;
    let expected: Vec<u64> = (first..first + step.events.len() as u64).collect();
    if step.events.is_empty() || numbers != expected {
        let what = format!("{}: {numbers:?} after {}", step.pipeline.id, before.last_event);
        return broken("every step is told, without a gap", what);
    }
    Ok(())
}

/// What a try costs is what its failure says, and nothing where there is none.
fn what_is_not_its_fault_costs_nothing(step: &Step, before: &Before) -> Result<(), Broken> {
    let (Some(update), Some(job)) = (&step.job, &before.job) else { return Ok(()) };
    let failure = step.events.iter().find_map(|event| match event {
        EventKind::JobRetried { failure, .. } | EventKind::JobFailed { failure, .. } => {
            Some(failure)
        }
        _ => None,
    });
    let class = failure.map(|failure| failure.class);
    let own = matches!(
        class,
        Some(FailureClass::Permanent | FailureClass::Resource | FailureClass::Credentials)
    );
    let (was, is) = (job.budget, update.next.budget);
    let costs_a_try = is.attempts > was.attempts && !own;
    let costs_patience = is.transient_attempts > was.transient_attempts
        && !matches!(class, Some(FailureClass::Transient | FailureClass::Quota));
    if costs_a_try || costs_patience {
        let what = format!("{}: {was:?} became {is:?} for {failure:?}", job.slot);
        return broken("what is not its fault costs nothing", what);
    }
    Ok(())
}

fn timers_fire_when_they_are_due(step: &Step, before: &Before) -> Result<(), Broken> {
    for change in &step.timers {
        let TimerChange::Fired { timer } = change else { continue };
        if before.timers.get(timer).is_none_or(|at| *at > step.at) {
            let what = format!("{timer} of {} at {}", step.pipeline.id, step.at);
            return broken("a timer fires once, and not before its time", what);
        }
    }
    Ok(())
}

/// A stage is left only with a passing verdict of each of its gates about the very commit that it is left with.
fn every_gate_was_passed(model: &Model, step: &Step, before: &Before) -> Result<(), Broken> {
    let integrating = |state: &PipelineState| {
        matches!(state.attempt().map(|it| &it.step), Some(AttemptStep::Integrating { .. }))
    };
    // The target holds the branch already: there is no merge to ask about.
    if integrating(&before.pipeline.state) {
        return Ok(());
    }
    for passed in &step.events {
        let EventKind::StagePassed { stage, attempt, commit } = passed else { continue };
        let definition = &model.definitions[&step.pipeline.definition];
        let Some(stage) = definition.find_stage(stage) else { continue };
        let entered = |event: &&Event| !matches!(&event.kind, EventKind::StageEntered { stage: it, attempt: number } if *it == stage.name && number == attempt);
        let since = events_of(model, step.pipeline.id).rev().take_while(entered);
        let judged: Vec<_> = since
            .filter_map(|event| match &event.kind {
                EventKind::GateJudged { gate, commit, outcome, .. } => {
                    Some((gate, commit, outcome))
                }
                _ => None,
            })
            .collect();
        for gate in &stage.gates {
            let passes = |(name, about, outcome): &(_, _, &VerdictOutcome)| {
                *name == &gate.name
                    && *about == commit
                    && matches!(outcome, VerdictOutcome::Pass | VerdictOutcome::Waived)
            };
            if !judged.iter().any(passes) {
                let what = format!("`{}` left with {commit} without `{}`", stage.name, gate.name);
                return broken("no stage is left without its gates", what);
            }
        }
    }
    Ok(())
}

/// What is told of a step is what has become of the pipeline.
fn the_log_tells_the_state(step: &Step) -> Result<(), Broken> {
    let state = &step.pipeline.state;
    for event in &step.events {
        let told = match event {
            EventKind::Paused => matches!(state, PipelineState::Paused { .. }),
            EventKind::Resumed => !matches!(state, PipelineState::Paused { .. }),
            EventKind::Succeeded { .. } => matches!(state, PipelineState::Succeeded { .. }),
            EventKind::Failed { .. } => matches!(state, PipelineState::Failed { .. }),
            EventKind::Cancelled { .. } => matches!(state, PipelineState::Cancelled { .. }),
            EventKind::DecisionOpened { decision, .. } => state.decision() == Some(*decision),
            _ => true,
        };
        if !told {
            let what = format!("{event:?}, and it is {}", coverage::label(state));
            return broken("the log tells the state", what);
        }
    }
    Ok(())
}

/// No fault of our own shows up as a failure of the work.
fn nothing_of_ours_breaks(step: &Step) -> Result<(), Broken> {
    for event in &step.events {
        if let EventKind::Stranded { stage } = event {
            let what = format!("{} was stranded in `{stage}`", step.pipeline.id);
            return broken("something moves every pipeline", what);
        }
        let (EventKind::JobFailed { failure, .. } | EventKind::JobRetried { failure, .. }) = event
        else {
            continue;
        };
        let ours = ["internal error", "is inconsistent"];
        if ours.iter().any(|words| failure.message.contains(words)) {
            return broken("nothing of ours breaks", failure.message.clone());
        }
    }
    Ok(())
}

fn starts_nothing_that_must_wait(model: &Model, job: &Job) -> Result<(), Broken> {
    let state = &model.pipelines[&job.pipeline].state;
    let is_over = state.is_terminal() && job.slot.work != Work::Cleanup;
    if is_over || matches!(state, PipelineState::Paused { .. }) {
        let what = format!("{} of {}, which is {}", job.slot, job.pipeline, coverage::label(state));
        return broken("what waits or is over starts nothing", what);
    }
    Ok(())
}

fn is_capped(job: &Job) -> bool {
    matches!(job.slot.work.kind(), JobKind::Agent | JobKind::Gate)
}

fn caps_hold(model: &Model, caps: &Caps) -> Result<(), Broken> {
    let running: Vec<&Job> = model
        .jobs
        .values()
        .filter(|job| is_capped(job) && JobStateTag::from(&job.state) == JobStateTag::Running)
        .collect();
    let count = |meant: &dyn Fn(&&&Job) -> bool| running.iter().filter(|job| meant(job)).count();
    for job in &running {
        let of_project = count(&|other| other.project == job.project);
        let of_agent = count(&|other| job.agent.is_some() && other.agent == job.agent);
        let agent_cap = job.agent.as_ref().and_then(|agent| caps.per_agent.get(agent));
        let too_many = running.len() > caps.total as usize
            || caps.per_project.is_some_and(|cap| of_project > cap as usize)
            || agent_cap.is_some_and(|cap| of_agent > *cap as usize);
        if too_many {
            let what = format!("{} run, {of_project} in {}, {caps:?}", running.len(), job.project);
            return broken("caps hold", what);
        }
    }
    Ok(())
}

/// What has ended has left nothing behind, and what has not has something that will move it.
pub(super) fn rests_on_something(model: &Model, id: PipelineId) -> Result<(), Broken> {
    let pipeline = &model.pipelines[&id];
    let live: Vec<&Job> = model
        .jobs
        .values()
        .filter(|job| job.pipeline == id && job.slot.work != Work::Cleanup)
        .filter(|job| matches!(job.state, JobState::Queued { .. } | JobState::Running { .. }))
        .collect();
    let asked = model.decisions.values().filter(|decision| decision.pipeline == id);
    let open: Vec<DecisionId> = asked
        .filter(|decision| decision.state == DecisionState::Open)
        .map(|decision| decision.id)
        .collect();
    if open != pipeline.state.decision().into_iter().collect::<Vec<_>>() {
        let what = format!("{id} is {}, open is {open:?}", coverage::label(&pipeline.state));
        return broken("the question that is open is the one that is waited for", what);
    }
    let state = match &pipeline.state {
        PipelineState::Paused { inner } => inner,
        state => state,
    };
    match state {
        PipelineState::Running { .. } => {
            if live.iter().any(|job| job.slot.epoch == pipeline.epoch) {
                Ok(())
            } else {
                broken("something moves every pipeline", format!("nothing moves {id}: {state:?}"))
            }
        }
        state if state.is_terminal() => {
            let armed = model.timers.keys().any(|(owner, _)| *owner == id);
            let leased = model.merge_leases.values().any(|(holder, _)| *holder == id);
            if live.is_empty() && !armed && !leased {
                return Ok(());
            }
            let what = format!("{id}: {} jobs, timer {armed}, lease {leased}", live.len());
            broken("an end leaves nothing behind", what)
        }
        _ => Ok(()),
    }
}
