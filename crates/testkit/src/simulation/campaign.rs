//! Many histories, on as many threads as are wanted.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Coverage, History, Plan, Violation};

/// Which histories are played.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The seed of the first; the others follow.
    pub seed: u64,
    /// How many at most.
    pub histories: u64,
    /// How long at most.
    pub time: Option<Duration>,
    /// How many at the same time.
    pub threads: usize,
    /// How many orchestrators on one store.
    pub nodes: u8,
}

/// What came of them.
#[derive(Debug)]
pub struct Findings {
    /// How many were played.
    pub histories: u64,
    /// How long it took.
    pub took: Duration,
    /// What they reached.
    pub coverage: Coverage,
    /// The first that broke a rule, by seed.
    pub broken: Option<(u64, History)>,
}

/// What is told while they are played.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// So many were played.
    Played(u64),
    /// One broke a rule.
    Broken {
        /// Its seed.
        seed: u64,
        /// How.
        violation: &'a Violation,
    },
}

/// After so many it is told how many were played.
const TOLD_EVERY: u64 = 10_000;
/// And after so many seconds.
const TOLD_WITHIN: u64 = 30;

#[derive(Default)]
struct Shared {
    next: AtomicU64,
    played: AtomicU64,
    /// When it was told the last time how many were played, in seconds from the start.
    told_at: AtomicU64,
    stop: AtomicBool,
    results: Mutex<Results>,
}

#[derive(Default)]
struct Results {
    coverage: Coverage,
    broken: Option<(u64, History)>,
}

impl Campaign {
    /// Plays them, until one breaks a rule, and tells what is new at once.
    ///
    /// # Panics
    /// Where a thread cannot be started.
    #[must_use]
    pub fn play(&self, tell: &(dyn Fn(News<'_>) + Sync)) -> Findings {
        let (shared, start) = (Shared::default(), Instant::now());
        thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| self.work(&shared, start, tell));
            }
        });
        let Results { coverage, broken } =
            shared.results.into_inner().expect("nobody panics while holding it");
        let histories = shared.played.into_inner();
        Findings { histories, took: start.elapsed(), coverage, broken }
    }

    fn work(&self, shared: &Shared, start: Instant, tell: &(dyn Fn(News<'_>) + Sync)) {
        let mut coverage = Coverage::default();
        loop {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            let in_time = self.time.is_none_or(|time| start.elapsed() < time);
            if number >= self.histories || !in_time || shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let seed = self.seed.wrapping_add(number);
            let mut history = History::of(&Plan::of_seed(seed, self.nodes));
            let played = shared.played.fetch_add(1, Ordering::Relaxed) + 1;
            if shared.is_worth_telling(played, start.elapsed().as_secs()) {
                tell(News::Played(played));
            }
            coverage.add(std::mem::take(&mut history.coverage));
            if let Some(violation) = &history.violation {
                shared.stop.store(true, Ordering::Relaxed);
                tell(News::Broken { seed, violation });
                let mut results = shared.results.lock().expect("nobody panics while holding it");
                if results.broken.as_ref().is_none_or(|(other, _)| seed < *other) {
                    results.broken = Some((seed, history));
                }
            }
        }
        shared.results.lock().expect("nobody panics while holding it").coverage.add(coverage);
    }
}

impl Shared {
    /// Whether it is time to tell how many were played. Of several threads that ask, one is told so.
    fn is_worth_telling(&self, played: u64, seconds: u64) -> bool {
        let told_at = self.told_at.load(Ordering::Relaxed);
        if !played.is_multiple_of(TOLD_EVERY) && seconds < told_at + TOLD_WITHIN {
            return false;
        }
        self.told_at
            .compare_exchange(told_at, seconds, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}
