//! A clock that stands still until a test moves it.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock;

/// The time as a test wants it. Shared in an `Arc` between the test and what it tests.
///
/// Sleepers wake in the order of their times, and of their falling asleep: a simulation repeats itself.
#[derive(Debug)]
pub struct ManualClock {
    dial: Mutex<Dial>,
}

#[derive(Debug)]
struct Dial {
    now: Timestamp,
    sleepers: BTreeMap<Sleeper, Waker>,
    fell_asleep: u64,
}

/// When somebody wants to be woken, and how many fell asleep before.
type Sleeper = (Timestamp, u64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { dial: Mutex::new(Dial { now, sleepers: BTreeMap::new(), fell_asleep: 0 }) }
    }

    /// Moves it forward, and wakes everybody whose time has come.
    ///
    /// # Panics
    /// Past the year 9999.
    pub fn advance(&self, by: Duration) {
        let to = self.now().checked_add(by).expect("tests end before the year 9999");
        self.advance_to(to);
    }

    /// Moves it forward to a time, and wakes everybody whose time has come. Never back.
    pub fn advance_to(&self, to: Timestamp) {
        let woken = {
            let mut dial = self.dial();
            dial.now = dial.now.max(to);
            let later = (dial.now, u64::MAX);
            let asleep = dial.sleepers.split_off(&later);
            std::mem::replace(&mut dial.sleepers, asleep)
        };
        woken.into_values().for_each(Waker::wake);
    }

    /// How many wait for a later time.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.dial().sleepers.len()
    }

    /// The first time that somebody waits for.
    #[must_use]
    pub fn next_sleeper(&self) -> Option<Timestamp> {
        self.dial().sleepers.keys().next().map(|(at, _)| *at)
    }

    fn dial(&self) -> MutexGuard<'_, Dial> {
        self.dial.lock().expect("nobody panics while holding it")
    }
}

impl Default for ManualClock {
    /// The first of January 2026.
    fn default() -> Self {
        Self::at(Timestamp::constant(1_767_225_600, 0))
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.dial().now
    }

    async fn sleep_until(&self, at: Timestamp) {
        Sleep { clock: self, at, place: None }.await;
    }
}

/// Somebody who waits, until dropped.
struct Sleep<'a> {
    clock: &'a ManualClock,
    at: Timestamp,
    place: Option<Sleeper>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut dial = self.clock.dial();
        if dial.now >= self.at {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            dial.fell_asleep += 1;
            (self.at, dial.fell_asleep)
        });
        dial.sleepers.insert(place, context.waker().clone());
        drop(dial);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.clock.dial().sleepers.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join};

    use super::*;

    fn after(clock: &ManualClock, seconds: u64) -> Timestamp {
        clock.now() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_time_that_has_come_is_not_waited_for() {
        let clock = ManualClock::default();
        assert_eq!(clock.sleep_until(clock.now()).now_or_never(), Some(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.sleep_until(ManualClock::default().now()).now_or_never(), Some(()));
    }

    #[test]
    fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = ManualClock::default();
        let mut sleep = clock.sleep_until(after(&clock, 10));
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_millis(9_999));
        assert_eq!((&mut sleep).now_or_never(), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!((&mut sleep).now_or_never(), Some(()));
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
    }

    #[tokio::test]
    async fn sleepers_on_other_tasks_are_woken() {
        let clock = std::sync::Arc::new(ManualClock::default());
        let spawn = |seconds| {
            let (clock, at) = (clock.clone(), after(&clock, seconds));
            tokio::spawn(async move { clock.sleep_until(at).await })
        };
        let (short, long) = (spawn(1), spawn(2));
        while clock.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(2));
        let (short, long) = join(short, long).await;
        short.and(long).unwrap();
    }
}
