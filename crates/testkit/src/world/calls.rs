//! Every call of a port passes here: tests wait on what happens, and say where it goes wrong.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use ports::Entropy;
use tokio::sync::watch;

use super::SeededEntropy;

/// Which side of a call: before it has an effect, or after, with the caller not yet knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Nothing has happened yet.
    Before,
    /// It has happened, the answer has not arrived.
    After,
}

/// Stands in the way of every call, and lets it pass when it likes: at once, late, never.
#[async_trait]
pub trait Toll: Send + Sync {
    /// Returns when the call may go on.
    async fn pass(&self, call: &'static str, side: Side);
}

/// What a trap does to the call that springs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It never returns: the place for a crash.
    Hang,
    /// It panics.
    Panic,
    /// The process ends where it stands.
    Abort,
}

/// Which call springs a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The so-many-th of this name from now, from 1, on this side.
    Named(&'static str, Side, u64),
    /// The one that is passed as the so-many-th, from 1, whatever it is.
    Numbered(u64),
}

#[derive(Debug, Default)]
struct Ledger {
    passed: u64,
    passed_by_name: BTreeMap<(&'static str, Side), u64>,
    shuffle: Option<SeededEntropy>,
    trap: Option<(Target, Fault)>,
    sprung: Option<(&'static str, Side)>,
}

/// The calls of all ports, and a trap in their way.
pub struct Calls {
    ledger: Mutex<Ledger>,
    happened: watch::Sender<u64>,
    toll: Option<Arc<dyn Toll>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { ledger: Mutex::default(), happened: watch::Sender::new(0), toll: None }
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl Calls {
    /// Calls that have to pass a toll.
    #[must_use]
    pub fn through(toll: Arc<dyn Toll>) -> Self {
        Self { toll: Some(toll), ..Self::default() }
    }

    /// The so-many-th call of that name, from 1 and from now, never returns.
    pub fn hang_at(&self, call: &'static str, side: Side, nth: u64) {
        self.ledger().set_trap(call, side, nth, Fault::Hang);
    }

    /// The so-many-th call of that name, from 1 and from now, ends the process: for programs that are tested from outside.
    pub fn abort_at(&self, call: &'static str, side: Side, nth: u64) {
        self.ledger().set_trap(call, side, nth, Fault::Abort);
    }

    /// The so-many-th passing, from 1 and from now, never returns. Every call is passed twice, once on each side.
    pub fn hang_at_number(&self, number: u64) {
        let mut ledger = self.ledger();
        ledger.trap = Some((Target::Numbered(ledger.passed + number), Fault::Hang));
        ledger.sprung = None;
    }

    /// The next call of that name panics before it does anything.
    pub fn panic_at(&self, call: &'static str) {
        self.ledger().set_trap(call, Side::Before, 1, Fault::Panic);
    }

    /// Takes away a trap that nobody sprang.
    pub fn disarm(&self) {
        self.ledger().trap = None;
    }

    /// The call that sprang the last trap.
    #[must_use]
    pub fn sprung(&self) -> Option<(&'static str, Side)> {
        self.ledger().sprung
    }

    /// How many calls of that name were answered.
    #[must_use]
    pub fn answered(&self, call: &'static str) -> u64 {
        self.ledger().passed_by_name.get(&(call, Side::After)).copied().unwrap_or(0)
    }

    /// From now on calls let others go first, as this seed says: another seed is another order of events.
    pub fn shuffle(&self, seed: u64) {
        self.ledger().shuffle = Some(SeededEntropy::new(seed));
    }

    /// Changes whenever a call is passed or a fake changes by itself.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.happened.subscribe()
    }

    /// Tells whoever watches that something has changed.
    pub(super) fn tell(&self) {
        self.happened.send_modify(|count| *count += 1);
    }

    /// Makes a call: passes, does it, passes again.
    pub async fn make<T>(&self, call: &'static str, work: impl Future<Output = T>) -> T {
        self.pass(call, Side::Before).await;
        let answer = work.await;
        self.pass(call, Side::After).await;
        answer
    }

    async fn pass(&self, call: &'static str, side: Side) {
        if let Some(toll) = &self.toll {
            return toll.pass(call, side).await;
        }
        let courtesy = self.ledger().courtesy();
        for _ in 0..courtesy {
            tokio::task::yield_now().await;
        }
        let fault = self.ledger().spring(call, side);
        self.tell();
        match fault {
            None => {}
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("`{call}` was told to panic"),
            Some(Fault::Abort) => std::process::abort(),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nobody panics while holding it")
    }
}

impl Ledger {
    fn set_trap(&mut self, call: &'static str, side: Side, nth: u64, fault: Fault) {
        let passed = self.passed_by_name.get(&(call, side)).copied().unwrap_or(0);
        self.trap = Some((Target::Named(call, side, passed + nth), fault));
        self.sprung = None;
    }

    /// Counts a passing, and says what the trap does to it.
    fn spring(&mut self, call: &'static str, side: Side) -> Option<Fault> {
        self.passed += 1;
        let of_name = self.passed_by_name.entry((call, side)).or_default();
        *of_name += 1;
        let (target, fault) = self.trap?;
        let meant = match target {
            Target::Named(name, at, nth) => (name, at, nth) == (call, side, *of_name),
            Target::Numbered(number) => number == self.passed,
        };
        if !meant {
            return None;
        }
        self.trap = None;
        self.sprung = Some((call, side));
        Some(fault)
    }

    /// How often the next call lets others go first.
    fn courtesy(&self) -> u8 {
        // The first bytes count, and the last ones are random.
        let [.., random] = self.shuffle.as_ref().map_or([0; 16], Entropy::bytes);
        random % 3
    }
}
