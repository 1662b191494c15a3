//! Many histories, on as many threads as are wanted.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Coverage, History, Plan};

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

#[derive(Default)]
struct Shared {
    next: AtomicU64,
    played: AtomicU64,
    stop: AtomicBool,
    results: Mutex<Results>,
}

#[derive(Default)]
struct Results {
    coverage: Coverage,
    broken: Option<(u64, History)>,
}

impl Campaign {
    /// Plays them, until one breaks a rule.
    ///
    /// # Panics
    /// Where a thread cannot be started.
    #[must_use]
    pub fn play(&self) -> Findings {
        let (shared, start) = (Shared::default(), Instant::now());
        thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| self.work(&shared, start));
            }
        });
        let Results { coverage, broken } =
            shared.results.into_inner().expect("nobody panics while holding it");
        let histories = shared.played.into_inner();
        Findings { histories, took: start.elapsed(), coverage, broken }
    }

    fn work(&self, shared: &Shared, start: Instant) {
        let mut coverage = Coverage::default();
        loop {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            let in_time = self.time.is_none_or(|time| start.elapsed() < time);
            if number >= self.histories || !in_time || shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let seed = self.seed.wrapping_add(number);
            let mut history = History::of(&Plan::of_seed(seed, self.nodes));
            shared.played.fetch_add(1, Ordering::Relaxed);
            coverage.add(std::mem::take(&mut history.coverage));
            if history.violation.is_some() {
                shared.stop.store(true, Ordering::Relaxed);
                let mut results = shared.results.lock().expect("nobody panics while holding it");
                if results.broken.as_ref().is_none_or(|(other, _)| seed < *other) {
                    results.broken = Some((seed, history));
                }
            }
        }
        shared.results.lock().expect("nobody panics while holding it").coverage.add(coverage);
    }
}
