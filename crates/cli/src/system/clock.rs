//! The system's clock.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock;

/// The system's clock, kept from going back.
#[derive(Default)]
pub(crate) struct SystemClock {
    last: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let mut last = self.last.lock().expect("no holder panics");
        let now = last.map_or(now, |last| last.max(now));
        *last = Some(now);
        now
    }

    async fn sleep_until(&self, at: Timestamp) {
        /// Timers of the runtime end somewhere; a day is looked at again.
        const LONGEST: std::time::Duration = std::time::Duration::from_hours(24);
        loop {
            let now = self.now();
            if now >= at {
                return;
            }
            let wait = std::time::Duration::try_from(at.duration_since(now)).unwrap_or_default();
            tokio::time::sleep(wait.min(LONGEST)).await;
        }
    }
}
