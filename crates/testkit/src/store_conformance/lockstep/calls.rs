//! Calls with numbers in place of ids: whoever makes them knows what is there.

use proptest::{collection::vec, option, prelude::*};

/// A call to both stores. A number picks from what there is, modulo how much there is.
#[derive(Clone, Debug)]
pub enum Call {
    /// Makes a pipeline in a project.
    Create {
        /// Which of three projects.
        project: u8,
        /// Numbers that are taken already.
        number_above: u8,
    },
    /// Applies a step.
    Apply(StepSketch),
    /// Applies the last step again.
    ApplyAgain,
    /// Claims jobs.
    Claim {
        /// At most this many.
        limit: u8,
        /// Cap over all.
        total: u8,
        /// Cap of each project.
        per_project: Option<u8>,
        /// Cap of the first agent.
        per_agent: Option<u8>,
        /// Which agent cannot be started, or 2 where nothing can.
        held: Option<u8>,
    },
    /// Writes a breaker.
    Breaker(BreakerSketch),
    /// Extends leases of all running jobs but those that this picks.
    Heartbeat {
        /// One in so many is left out.
        skip: u8,
        /// Shows tokens that are one too old.
        old: bool,
    },
    /// Ends a running job.
    Settle {
        /// Which.
        job: u8,
        /// How.
        outcome: Outcome,
        /// Shows a token that is one too old.
        old: bool,
    },
    /// Lets time pass.
    Pass {
        /// How much.
        seconds: u8,
    },
    /// Drops the oldest timer that is due.
    DropTimer,
    /// Takes letters.
    TakeLetters {
        /// To the first so many of three destinations.
        destinations: u8,
    },
    /// Has something happen to a letter.
    SettleLetter(LetterSketch),
    /// Records a run of a job, or its end.
    Run {
        /// Which job.
        job: u8,
        /// Whether it has ended.
        ended: bool,
    },
}

/// A breaker in outline.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSketch {
    /// Which of two.
    pub breaker: u8,
    /// Closed, open without an end, open for some seconds.
    pub state: u8,
    /// Comes too late.
    pub stale: bool,
}

/// How a job's try ends.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// With a result.
    Complete,
    /// With a failure of the outside world.
    Transient,
    /// With a failure of its own.
    Permanent,
    /// With a quota window that is spent.
    Quota,
    /// Its worker was never heard of again.
    Expire,
}

/// What happens to a letter.
#[derive(Clone, Copy, Debug)]
pub struct LetterSketch {
    /// Which letter.
    pub letter: u8,
    /// Delivered, refused, failed, given back, lost, tried again, given up, dropped.
    pub input: u8,
    /// Shows a version that is one too old.
    pub old: bool,
}

/// A step in outline.
#[derive(Clone, Debug)]
pub struct StepSketch {
    /// The pipeline.
    pub pipeline: u8,
    /// Its next state: running, paused, cancelled.
    pub state: u8,
    /// What else it does.
    pub extras: Vec<Extra>,
    /// Jobs to queue.
    pub jobs: Vec<JobSketch>,
    /// Sets a timer this many seconds from now.
    pub timer: Option<u8>,
    /// Answers that question, answered or not.
    pub answer: Option<u8>,
    /// Keeps a verdict about that tree.
    pub verdict: Option<u8>,
    /// Tells of so many events.
    pub events: u8,
    /// Settles a job of the pipeline, maybe with an old token.
    pub job: Option<(u8, Outcome, bool)>,
    /// Writes letters, to one of three destinations each, about one of the events.
    pub letters: Vec<(u8, u8)>,
    /// Has something happen to a letter.
    pub letter: Option<LetterSketch>,
    /// Writes a breaker with it.
    pub breaker: Option<BreakerSketch>,
}

/// What only some steps do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Comes too late.
    Stale,
    /// Leaves work under way behind.
    Cancel,
    /// Removes the timers.
    Disarm,
    /// Asks a question.
    Ask,
    /// Gives the merge lease back.
    Release,
    /// Records a run of a job of the pipeline, as it ended.
    EndRun,
}

/// A job in outline.
#[derive(Clone, Debug)]
pub struct JobSketch {
    /// Agent, agent of another name, gate, git, merge, clean-up.
    pub kind: u8,
    /// Its round: two of the same kind and round share a slot.
    pub round: u8,
    /// Its priority.
    pub priority: i8,
    /// Due so many seconds from now.
    pub wait: u8,
}

/// Histories of calls.
pub fn calls() -> impl Strategy<Value = Vec<Call>> {
    vec(call(), 1..60)
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => (0..3u8, 0..3u8).prop_map(|(project, number_above)| Call::Create { project, number_above }),
        8 => step().prop_map(Call::Apply),
        1 => Just(Call::ApplyAgain),
        5 => (0..6u8, 0..6u8, option::of(0..3u8), option::of(0..3u8), option::weighted(0.2, 0..3u8))
            .prop_map(|(limit, total, per_project, per_agent, held)| Call::Claim { limit, total, per_project, per_agent, held }),
        2 => breaker().prop_map(Call::Breaker),
        2 => (2..5u8, rarely()).prop_map(|(skip, old)| Call::Heartbeat { skip, old }),
        4 => (any::<u8>(), outcome(), rarely()).prop_map(|(job, outcome, old)| Call::Settle { job, outcome, old }),
        3 => (0..40u8).prop_map(|seconds| Call::Pass { seconds }),
        1 => Just(Call::DropTimer),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(job, ended)| Call::Run { job, ended }),
        4 => (0..4u8).prop_map(|destinations| Call::TakeLetters { destinations }),
        5 => letter().prop_map(Call::SettleLetter),
    ]
}

fn step() -> impl Strategy<Value = StepSketch> {
    let extras = vec(
        prop_oneof![
            1 => Just(Extra::Stale),
            2 => Just(Extra::Cancel),
            1 => Just(Extra::Disarm),
            3 => Just(Extra::Ask),
            2 => Just(Extra::Release),
            1 => Just(Extra::EndRun),
        ],
        0..3,
    );
    let rows = (vec(job(), 0..4), option::weighted(0.2, 0..60u8), option::weighted(0.2, 0..3u8));
    let job = option::weighted(0.3, (any::<u8>(), outcome(), rarely()));
    let rest = (option::weighted(0.2, any::<u8>()), 0..3u8, job);
    let breaker = option::weighted(0.2, breaker());
    let post = (vec((0..3u8, 0..3u8), 0..4), option::weighted(0.15, letter()), breaker);
    (any::<u8>(), 0..4u8, extras, rows, rest, post).prop_map(
        |(pipeline, state, extras, (jobs, timer, verdict), (answer, events, job), post)| {
            let (letters, letter, breaker) = post;
            StepSketch {
                pipeline,
                state,
                extras,
                jobs,
                timer,
                answer,
                verdict,
                events,
                job,
                letters,
                letter,
                breaker,
            }
        },
    )
}

fn job() -> impl Strategy<Value = JobSketch> {
    (0..6u8, 0..3u8, -1..2i8, prop_oneof![4 => Just(0), 1 => 0..40u8])
        .prop_map(|(kind, round, priority, wait)| JobSketch { kind, round, priority, wait })
}

fn letter() -> impl Strategy<Value = LetterSketch> {
    (any::<u8>(), 0..8u8, rarely()).prop_map(|(letter, input, old)| LetterSketch {
        letter,
        input,
        old,
    })
}

fn breaker() -> impl Strategy<Value = BreakerSketch> {
    (0..2u8, 0..40u8, rarely()).prop_map(|(breaker, state, stale)| BreakerSketch {
        breaker,
        state,
        stale,
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Complete),
        Just(Outcome::Transient),
        Just(Outcome::Permanent),
        Just(Outcome::Quota),
        Just(Outcome::Expire)
    ]
}

fn rarely() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.15)
}
