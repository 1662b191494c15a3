//! What happens to the calls of one process: late, never, or the last thing that it did.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock as _;

use super::{bell::Bell, dice::Dice, record::Record};
use crate::{
    clock::ManualClock,
    world::{Side, Toll},
};

/// Calls of a whole history: far more than any has.
const CALLS_MAX: u64 = 60_000;

#[derive(Debug)]
struct State {
    dice: Dice,
    /// It is gone: nothing that it still does comes true.
    dead: bool,
    crash_in: Option<u16>,
    /// The call, and the side of it, at which it dies.
    crash_at: Option<(String, Side)>,
    suspended_until: Timestamp,
    delayed: u8,
    delay: Duration,
    /// Until when a call waits that is late.
    late_until: Timestamp,
}

impl State {
    /// Whether this passing is the one that it does not survive.
    fn is_doomed(&mut self, call: &'static str, side: Side) -> bool {
        let its_turn = self.crash_in.as_mut().is_some_and(|left| {
            *left = left.saturating_sub(1);
            *left == 0
        });
        its_turn || self.crash_at.as_ref().is_some_and(|at| (at.0.as_str(), at.1) == (call, side))
    }
}

/// What a call has to do before it goes on.
enum Next {
    Go,
    Wait(Timestamp),
    Never,
}

/// The way of one process to its ports.
pub(super) struct ProcessToll {
    name: String,
    clock: Arc<ManualClock>,
    record: Arc<Record>,
    bell: Arc<Bell>,
    state: Mutex<State>,
}

impl ProcessToll {
    pub(super) fn new(
        name: &str,
        clock: Arc<ManualClock>,
        record: Arc<Record>,
        bell: Arc<Bell>,
        dice: Dice,
    ) -> Self {
        let state = State {
            dice,
            dead: false,
            crash_in: None,
            crash_at: None,
            suspended_until: Timestamp::MIN,
            delayed: 0,
            delay: Duration::ZERO,
            late_until: Timestamp::MIN,
        };
        Self { name: name.to_owned(), clock, record, bell, state: Mutex::new(state) }
    }

    /// The process dies at the so-many-th passing from now.
    pub(super) fn crash_in(&self, passings: u16) {
        self.state().crash_in = Some(passings);
    }

    /// The process dies at its next call of this name.
    pub(super) fn crash_at(&self, call: &str, side: Side) {
        self.state().crash_at = Some((call.to_owned(), side));
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The process dies now.
    pub(super) fn kill(&self) {
        self.state().dead = true;
    }

    pub(super) fn suspend(&self, until: Timestamp) {
        self.state().suspended_until = until;
    }

    pub(super) fn delay(&self, calls: u8, each: Duration) {
        let mut state = self.state();
        (state.delayed, state.delay) = (calls, each);
    }

    /// Whether a call is late: what it was made for has not happened yet.
    pub(super) fn is_late(&self) -> bool {
        let state = self.state();
        !state.dead && state.late_until > self.clock.now()
    }

    /// Nothing goes wrong any more. What is late already comes when it comes.
    pub(super) fn calm(&self) {
        let mut state = self.state();
        (state.crash_in, state.crash_at) = (None, None);
        (state.delayed, state.suspended_until) = (0, Timestamp::MIN);
    }

    fn next(&self, call: &'static str, side: Side, was_late: bool) -> Next {
        let now = self.clock.now();
        let mut state = self.state();
        if state.dead {
            return Next::Never;
        }
        if state.suspended_until > now {
            return Next::Wait(state.suspended_until);
        }
        if state.delayed > 0 && !was_late {
            state.delayed -= 1;
            return Next::Wait(now.saturating_add(state.delay).unwrap_or(Timestamp::MAX));
        }
        if state.is_doomed(call, side) {
            state.dead = true;
            drop(state);
            self.record.crashed(now, &self.name, call, side);
            return Next::Never;
        }
        Next::Go
    }

    fn is_late_until(&self, until: Timestamp) {
        let mut state = self.state();
        state.late_until = state.late_until.max(until);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

#[async_trait]
impl Toll for ProcessToll {
    async fn pass(&self, call: &'static str, side: Side) {
        let courtesy = self.state().dice.below(3);
        for _ in 0..courtesy {
            tokio::task::yield_now().await;
        }
        let mut was_late = false;
        loop {
            match self.next(call, side, was_late) {
                Next::Go => break,
                Next::Wait(until) => {
                    was_late = true;
                    self.is_late_until(until);
                    self.clock.sleep_until(until).await;
                }
                Next::Never => std::future::pending().await,
            }
        }
        // Something that goes round and round without time passing.
        if self.bell.count() > CALLS_MAX {
            self.record
                .violate("a history comes to its end", format!("more than {CALLS_MAX} calls"));
            self.kill();
            std::future::pending::<()>().await;
        }
        self.record.passed(self.clock.now(), &self.name, call, side);
        self.bell.passed();
    }
}
