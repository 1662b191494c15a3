//! Makes the calls, and compares.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use domain::{
    breaker::{Breaker, BreakerState, Hold},
    failure::{Failure, FailureClass},
    id::{JobId, LetterId, PipelineId},
    job::{Job, JobInput, JobState, JobStateTag, Work},
    name::RoleName,
    outbox::{Letter, LetterInput, LetterStateTag},
    pipeline::{EventKind, EventKindTag, NewPipeline, Pipeline, PipelineState, TimerKey},
    run::Run,
    verdict::VerdictOutcome,
};
use jiff::Timestamp;
use ports::{
    Caps, Claim, Held, JobFilter, JobUpdate, LetterFilter, NewLetter, PipelineFilter, Step, Store,
    StoreError, TimerChange,
};

use super::{BreakerSketch, Call, Extra, JobSketch, LetterSketch, Outcome, StepSketch};
use crate::store_conformance::fixtures as make;

/// Two stores and the time. Ids count up.
struct Pair<'a> {
    left: &'a dyn Store,
    right: &'a dyn Store,
    now: Timestamp,
    ids: u32,
    last_step: Option<Step>,
}

/// Asks both stores the same and expects the same answer. Errors need not agree in their words.
macro_rules! both {
    ($pair:expr, $store:ident => $call:expr) => {{
        let $store = $pair.left;
        let left = $call.await;
        let $store = $pair.right;
        let right = $call.await;
        same(stringify!($call), left, right)
    }};
}

fn same<T: PartialEq + Debug>(
    call: &str,
    left: Result<T, StoreError>,
    right: Result<T, StoreError>,
) -> Option<T> {
    match (left, right) {
        (Ok(left), Ok(right)) => {
            assert_eq!(left, right, "{call}");
            Some(left)
        }
        (Err(_), Err(_)) => None,
        (left, right) => panic!("{call}: {left:?} is not {right:?}"),
    }
}

/// Drives both stores through `calls` and compares every answer, and everything that they hold at the end.
pub async fn compare(left: &dyn Store, right: &dyn Store, calls: &[Call]) {
    let mut pair = Pair { left, right, now: make::at(0), ids: 0, last_step: None };
    for store in [left, right] {
        for key in KEYS {
            make::prepare(store, key).await;
        }
    }
    for call in calls {
        pair.make(call).await;
        both!(pair, store => store.next_due(&make::guards()));
        both!(pair, store => store.list_breakers());
        let now = pair.now;
        both!(pair, store => store.park_damaged(now));
        both!(pair, store => store.next_letter(&DESTINATIONS.map(make::destination)));
        both!(pair, store => store.list_stranded());
    }
    pair.compare_everything().await;
}

const KEYS: [&str; 3] = ["AB", "CD", "ET"];
const DESTINATIONS: [&str; 3] = ["chat", "log", "pager"];

impl Pair<'_> {
    async fn make(&mut self, call: &Call) {
        match call {
            Call::Create { project, number_above } => {
                let id = self.next_id();
                let new = make::new_pipeline(id.into(), KEYS[usize::from(*project)]);
                let new = NewPipeline {
                    number_above: (*number_above).into(),
                    created_at: self.now,
                    ..new
                };
                both!(self, store => store.create_pipeline(&new));
            }
            Call::Apply(sketch) => {
                if let Some(step) = self.step(sketch).await {
                    both!(self, store => store.apply(&step));
                    self.last_step = Some(step);
                }
            }
            Call::ApplyAgain => {
                if let Some(step) = &self.last_step {
                    both!(self, store => store.apply(step));
                }
            }
            Call::Claim { limit, total, per_project, per_agent, held } => {
                let per_agent: BTreeMap<_, _> =
                    per_agent.iter().map(|cap| (make::agent("claude"), (*cap).into())).collect();
                let caps = Caps {
                    total: (*total).into(),
                    per_project: per_project.map(Into::into),
                    per_agent,
                };
                let agents = ["claude", "codex"];
                let held = Held {
                    agents: held
                        .and_then(|at| agents.get(usize::from(at)))
                        .map(|name| make::agent(name))
                        .into_iter()
                        .collect(),
                    processes: *held == Some(2),
                };
                let (breakers, limit) = (make::guards(), (*limit).into());
                let claim = Claim { caps, breakers, held, limit, ..make::claim(self.now) };
                both!(self, store => store.claim(&claim));
            }
            Call::Heartbeat { skip, old } => {
                let beating = self
                    .running()
                    .await
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| at % usize::from(*skip) > 0);
                let leases: Vec<_> =
                    beating.map(|(_, job)| (job.id, make::token(&job) - u64::from(*old))).collect();
                let until = self.now + make::TTL;
                both!(self, store => store.heartbeat(&leases, until));
            }
            Call::Settle { job, outcome, old } => {
                if let Some(job) = pick(&self.running().await, *job) {
                    let update = self.update(job, *outcome, *old);
                    both!(self, store => store.settle_job(&update));
                }
            }
            Call::Breaker(sketch) => {
                let breaker = self.breaker(*sketch).await;
                both!(self, store => store.save_breaker(&breaker));
            }
            Call::Pass { seconds } => self.now += Duration::from_secs((*seconds).into()),
            Call::DropTimer => {
                let now = self.now;
                if let Some(due) = both!(self, store => store.list_due_timers(now))
                    .and_then(|due| due.first().copied())
                {
                    both!(self, store => store.find_timer(due.pipeline, due.timer));
                    both!(self, store => store.drop_timer(&due));
                }
            }
            Call::TakeLetters { destinations } => {
                let take = make::take(self.now, &DESTINATIONS[..usize::from(*destinations)]);
                both!(self, store => store.take_letters(&take));
            }
            Call::SettleLetter(sketch) => {
                if let Some(letter) = self.letter(*sketch).await {
                    both!(self, store => store.settle_letter(&letter));
                }
            }
            Call::Run { job, ended } => {
                if let Some(job) = pick(&self.jobs(JobFilter::default()).await, *job) {
                    let run = make::run(job, u128::from(self.ids % 4));
                    let run =
                        Run { launched_at: self.now, ended_at: ended.then_some(self.now), ..run };
                    both!(self, store => store.save_run(&run, job.claims));
                    if *ended {
                        let again =
                            Run { ended_at: Some(self.now + Duration::from_secs(1)), ..run };
                        both!(self, store => store.settle_run(&again));
                    }
                }
            }
        }
    }

    fn next_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    async fn jobs(&self, filter: JobFilter) -> Vec<Job> {
        both!(self, store => store.list_jobs(&filter)).expect("jobs can be listed")
    }

    async fn running(&self) -> Vec<Job> {
        self.jobs(JobFilter { pipeline: None, states: vec![JobStateTag::Running] }).await
    }

    fn update(&self, job: &Job, outcome: Outcome, old: bool) -> JobUpdate {
        let token = make::token(job);
        let fail = |class| JobInput::Fail {
            token,
            failure: Failure::new(class, "it broke"),
            jitter: 0.25,
        };
        let input = match outcome {
            Outcome::Complete => JobInput::Complete { token },
            Outcome::Transient => fail(FailureClass::Transient),
            Outcome::Permanent => fail(FailureClass::Permanent),
            Outcome::Quota => fail(FailureClass::Quota),
            Outcome::Expire => JobInput::Expire,
        };
        let update = make::update(job, &input, self.now);
        JobUpdate {
            token: token - u64::from(old),
            last_error: Some(format!("{outcome:?}")),
            // Half of the reapers come too early.
            expired_by: matches!(outcome, Outcome::Expire).then_some(self.now),
            ..update
        }
    }

    async fn step(&mut self, sketch: &StepSketch) -> Option<Step> {
        let pipelines = both!(self, store => store.list_pipelines(&PipelineFilter::default()))?;
        let pipeline = pick(&pipelines, sketch.pipeline)?;
        let mut step = make::step_to(pipeline, state(sketch.state));
        step.at = self.now;
        step.input = format!("{}/{}", pipeline.id, self.next_id());
        step.jobs = sketch.jobs.iter().map(|job| self.job(&step.pipeline, job)).collect();
        let timer = TimerKey::WallTime;
        let arm = sketch.timer.map(|wait| TimerChange::Arm { timer, at: self.later(wait) });
        step.timers.extend(arm);
        let questions = both!(self, store => store.list_decisions(None, false))?;
        let answered = sketch.answer.and_then(|number| pick(&questions, number));
        step.closed
            .extend(answered.map(|question| (question.id, make::approved(&self.ids.to_string()))));
        let judged = sketch.verdict.map(|digit| char::from(b'a' + digit));
        step.verdicts
            .extend(judged.map(|digit| make::verdict("tests", digit, VerdictOutcome::Fail)));
        step.events = vec![EventKind::Started; sketch.events.into()];
        let running = self.running().await.into_iter();
        let own: Vec<Job> = running.filter(|job| job.pipeline == pipeline.id).collect();
        let settled = sketch.job.map(|(job, outcome, old)| (pick(&own, job), outcome, old));
        step.job = settled.and_then(|(job, outcome, old)| Some(self.update(job?, outcome, old)));
        let letters = sketch.letters.iter().filter(|(_, event)| *event < sketch.events);
        step.letters = letters
            .map(|(to, event)| NewLetter {
                id: LetterId::from_u128(self.next_id().into()),
                destination: make::destination(DESTINATIONS[usize::from(*to)]),
                event: usize::from(*event),
            })
            .collect();
        if let Some(letter) = sketch.letter {
            step.letter = self.letter(letter).await;
        }
        if let Some(sketch) = sketch.breaker {
            step.breaker = Some(self.breaker(sketch).await);
        }
        for extra in &sketch.extras {
            match extra {
                Extra::Stale => step.pipeline.version = step.pipeline.version.saturating_sub(1),
                Extra::Cancel => {
                    step.pipeline.epoch += 1;
                    step.cancel_jobs = true;
                }
                Extra::Disarm => step.timers.push(TimerChange::DisarmAll),
                Extra::Ask => step.opened.push(make::decision(pipeline, self.next_id().into())),
                Extra::Release => step.release_merge_lease = true,
                Extra::EndRun => step.runs.extend(own.first().map(|job| self.run(job, true))),
            }
        }
        Some(step)
    }

    /// A letter after something that its state allows.
    async fn letter(&self, sketch: LetterSketch) -> Option<Letter> {
        let letters = both!(self, store => store.list_letters(&LetterFilter::default()))?;
        let letter = pick(&letters, sketch.letter)?;
        let input = match sketch.input {
            0 => LetterInput::Delivered { remote: Some(self.ids.to_string()) },
            1 => LetterInput::Refused { why: "no".to_owned() },
            2 => LetterInput::Failed { why: "away".to_owned(), retry_after: None, jitter: 0.5 },
            3 => LetterInput::Released,
            4 => LetterInput::Lost,
            5 => LetterInput::Retry,
            6 => LetterInput::GivenUp { why: "lost".to_owned() },
            _ => LetterInput::Drop { by: "ann".to_owned(), reason: "old".to_owned() },
        };
        let next = letter.decide(&input, self.now).ok()?;
        Some(Letter { version: next.version - u64::from(sketch.old), ..next })
    }

    async fn breaker(&self, sketch: BreakerSketch) -> Breaker {
        let key = make::breaker_key(["claude@a", "codex@b"][usize::from(sketch.breaker)]);
        let stored =
            both!(self, store => store.load_breaker(&key)).expect("a breaker can be loaded");
        let state = match sketch.state {
            0..10 => BreakerState::Closed { failures: sketch.state.into() },
            10..15 => make::open(None),
            wait => {
                let hold = make::open(Some(0)).hold().cloned().expect("it is open");
                BreakerState::Open { hold: Hold { until: Some(self.later(wait)), ..hold } }
            }
        };
        let next = stored.next(state);
        Breaker { version: next.version - u64::from(sketch.stale), ..next }
    }

    /// One of few runs of a job, so that they are recorded more than once.
    fn run(&self, job: &Job, ended: bool) -> Run {
        let ended_at = ended.then_some(self.now);
        Run { launched_at: self.now, ended_at, ..make::run(job, (self.ids % 4).into()) }
    }

    fn later(&self, seconds: u8) -> Timestamp {
        self.now + Duration::from_secs(seconds.into())
    }

    fn job(&mut self, pipeline: &Pipeline, sketch: &JobSketch) -> Job {
        let JobSketch { kind, round, priority, wait } = sketch;
        let id = self.next_id();
        let job = match kind {
            0 => make::agent_job(pipeline, id, "claude"),
            1 => make::agent_job(pipeline, id, "codex"),
            2 => make::gate_job(pipeline, id),
            3 => make::job(pipeline, id, Work::Open),
            4 => make::merge_job(pipeline, id),
            _ => make::job(pipeline, id, Work::Cleanup),
        };
        let mut slot = job.slot.clone();
        slot.round = (*round).into();
        if let Work::Agent { role } = &mut slot.work {
            *role = RoleName::new(format!("role-{kind}")).expect("a name");
        }
        let state = JobState::Queued { available_at: self.later(*wait) };
        Job {
            id: JobId::from_u128(id.into()),
            slot,
            state,
            priority: (*priority).into(),
            created_at: self.now,
            ..job
        }
    }

    async fn compare_everything(&self) {
        let end = make::at(1_000_000);
        let pipelines = both!(self, store => store.list_pipelines(&PipelineFilter::default()));
        self.jobs(JobFilter::default()).await;
        both!(self, store => store.list_projects());
        both!(self, store => store.list_due_timers(end));
        both!(self, store => store.list_decisions(None, false));
        both!(self, store => store.list_decisions(None, true));
        both!(self, store => store.list_events(None, 0, u32::MAX));
        both!(self, store => store.list_letters(&LetterFilter::default()));
        both!(self, store => store.count_letters());
        for (name, limit) in DESTINATIONS.into_iter().zip([0, 1, 2]) {
            let destination = Some(make::destination(name));
            let state = Some(LetterStateTag::Dead);
            let filter = LetterFilter { pipeline: None, destination, state, limit };
            both!(self, store => store.list_letters(&filter));
        }
        for pipeline in pipelines.into_iter().flatten() {
            let (id, item) = (pipeline.id, pipeline.item.key);
            both!(self, store => store.find_pipeline_of(&item));
            both!(self, store => store.find_merging(&item.project, self.now));
            self.compare_pipeline(id).await;
        }
        // Who holds merge leases shows in what can be claimed.
        let claim = make::claim(self.now);
        both!(self, store => store.claim(&claim));
    }

    async fn compare_pipeline(&self, id: PipelineId) {
        both!(self, store => store.find_pipeline(id));
        both!(self, store => store.list_runs(id));
        both!(self, store => store.list_verdicts(id));
        both!(self, store => store.find_verdict(id, &make::gate("tests"), &make::tree('a')));
        both!(self, store => store.list_events(Some(id), 1, 5));
        both!(self, store => store.find_last_event(id, EventKindTag::Started));
        let of_it = LetterFilter { pipeline: Some(id), ..LetterFilter::default() };
        both!(self, store => store.list_letters(&of_it));
        both!(self, store => store.list_decisions(Some(id), true));
        for job in self
            .jobs(JobFilter {
                pipeline: Some(id),
                states: vec![JobStateTag::Queued, JobStateTag::Failed],
            })
            .await
        {
            both!(self, store => store.find_open_run(job.id));
        }
    }
}

fn state(number: u8) -> PipelineState {
    match number {
        0 | 1 => make::running(),
        2 => make::paused(),
        _ => PipelineState::Cancelled { by: "ann".to_owned(), reason: "enough".to_owned() },
    }
}

/// The one that a number picks.
fn pick<T>(things: &[T], number: u8) -> Option<&T> {
    let at = usize::from(number).checked_rem(things.len())?;
    things.get(at)
}
