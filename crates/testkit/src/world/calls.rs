//! Every call of a port passes here: tests wait on what happens, and say where it goes wrong.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, MutexGuard},
};

use tokio::sync::watch;

/// Which side of a call: before it has an effect, or after, with the caller not yet knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nothing has happened yet.
    Before,
    /// It has happened, the answer has not arrived.
    After,
}

/// What a trap does to the call that springs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It never returns: the place for a crash.
    Hang,
    /// It panics.
    Panic,
}

/// Which call springs a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The next one of this name, on this side.
    Named(&'static str, Side),
    /// The one that is passed as the so-many-th, from 1, whatever it is.
    Numbered(u64),
}

#[derive(Debug, Default)]
struct Ledger {
    passed: u64,
    answered: BTreeMap<&'static str, u64>,
    trap: Option<(Target, Fault)>,
    sprung: Option<(&'static str, Side)>,
}

/// The calls of all ports, and a trap in their way.
#[derive(Debug)]
pub struct Calls {
    ledger: Mutex<Ledger>,
    happened: watch::Sender<u64>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { ledger: Mutex::default(), happened: watch::Sender::new(0) }
    }
}

impl Calls {
    /// The next call of that name never returns.
    pub fn hang_at(&self, call: &'static str, side: Side) {
        self.ledger().trap = Some((Target::Named(call, side), Fault::Hang));
    }

    /// The so-many-th passing, from 1 and from now, never returns. Every call is passed twice, once on each side.
    pub fn hang_at_number(&self, number: u64) {
        let mut ledger = self.ledger();
        ledger.trap = Some((Target::Numbered(ledger.passed + number), Fault::Hang));
    }

    /// The next call of that name panics before it does anything.
    pub fn panic_at(&self, call: &'static str) {
        self.ledger().trap = Some((Target::Named(call, Side::Before), Fault::Panic));
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
        self.ledger().answered.get(call).copied().unwrap_or(0)
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
    pub(super) async fn make<T>(&self, call: &'static str, work: impl Future<Output = T>) -> T {
        self.pass(call, Side::Before).await;
        let answer = work.await;
        self.pass(call, Side::After).await;
        *self.ledger().answered.entry(call).or_default() += 1;
        self.tell();
        answer
    }

    async fn pass(&self, call: &'static str, side: Side) {
        let fault = self.spring(call, side);
        self.tell();
        match fault {
            None => {}
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("`{call}` was told to panic"),
        }
    }

    fn spring(&self, call: &'static str, side: Side) -> Option<Fault> {
        let mut ledger = self.ledger();
        ledger.passed += 1;
        let (target, fault) = ledger.trap?;
        let meant = match target {
            Target::Named(name, at) => name == call && at == side,
            Target::Numbered(number) => number == ledger.passed,
        };
        if !meant {
            return None;
        }
        ledger.trap = None;
        ledger.sprung = Some((call, side));
        Some(fault)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nobody panics while holding it")
    }
}
