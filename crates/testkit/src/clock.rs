//! A clock that stands still until a test moves it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock;
use tokio::sync::watch;

/// The time as a test wants it. Shared in an `Arc` between the test and what it tests.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves it forward, and wakes everybody whose time has come.
    ///
    /// # Panics
    /// Past the year 9999.
    pub fn advance(&self, by: Duration) {
        self.now
            .send_modify(|now| *now = now.checked_add(by).expect("tests end before the year 9999"));
    }

    /// How many wait for a later time.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
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
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let mut times = self.now.subscribe();
        times
            .wait_for(|now| *now >= at)
            .await
            .expect("the clock lives as long as the borrow of it");
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
