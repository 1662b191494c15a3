//! The system's clock.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock;

/// How fast the clock goes while it is ahead of the system's, which was set back: so many parts of `WHOLE`.
const SLOWER: u32 = 15;
const WHOLE: u32 = 16;

/// The system's clock, kept from going back, and from standing still where the system's was set back: an hour of that would
/// be an hour without heartbeats and retries. It goes a little slower until the system's has caught up.
#[derive(Default)]
pub(crate) struct SystemClock {
    last: Mutex<Option<Reading>>,
}

/// What was shown last, and when that was by a clock that nobody sets.
#[derive(Clone, Copy)]
struct Reading {
    shown: Timestamp,
    at: Instant,
}

impl SystemClock {
    /// Waits so long, for whoever looks again and again.
    pub(crate) async fn pause(&self, time: Duration) {
        self.sleep_until(self.now().saturating_add(time).unwrap_or(Timestamp::MAX)).await;
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let (system, at) = (Timestamp::now(), Instant::now());
        let mut last = self.last.lock().expect("no holder panics");
        let shown = last.map_or(system, |last| {
            following(last.shown, at.saturating_duration_since(last.at), system)
        });
        *last = Some(Reading { shown, at });
        shown
    }

    async fn sleep_until(&self, at: Timestamp) {
        /// Timers of the runtime end somewhere; a day is looked at again.
        const LONGEST: Duration = Duration::from_hours(24);
        loop {
            let now = self.now();
            if now >= at {
                return;
            }
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            tokio::time::sleep(wait.min(LONGEST)).await;
        }
    }
}

/// What to show so long after `last` was shown.
fn following(last: Timestamp, elapsed: Duration, system: Timestamp) -> Timestamp {
    let at_least = last.saturating_add(elapsed / WHOLE * SLOWER).unwrap_or(Timestamp::MAX);
    system.max(at_least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn it_follows_the_system_forwards_by_whatever() {
        assert_eq!(following(at(1000), MINUTE, at(1060)), at(1060));
        assert_eq!(following(at(1000), MINUTE, at(20_000)), at(20_000));
    }

    #[test]
    fn set_back_by_an_hour_it_goes_on_a_little_slower_until_it_is_caught_up_with() {
        let mut shown = at(10_000);
        let mut system = at(10_000 - 3600);
        for _ in 0..60 * 15 {
            system += MINUTE;
            let next = following(shown, MINUTE, system);
            assert!(next > shown, "it stood still");
            shown = next;
        }
        assert!(shown > system);
        for _ in 0..60 * 2 {
            system += MINUTE;
            shown = following(shown, MINUTE, system);
        }
        assert_eq!(shown, system);
    }
}
