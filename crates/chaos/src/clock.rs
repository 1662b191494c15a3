//! A clock that a test moves by writing into a file.

use std::{fs, sync::Arc, time::Duration};

use async_trait::async_trait;
use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use ports::Clock;

/// How long a move can go unseen by those who sleep.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Another clock, so many seconds ahead as a file says. The file may change at any time.
pub(crate) struct MovedClock {
    clock: Arc<dyn Clock>,
    seconds: Utf8PathBuf,
}

impl MovedClock {
    pub(crate) fn new(clock: Arc<dyn Clock>, seconds: Utf8PathBuf) -> Self {
        Self { clock, seconds }
    }

    fn ahead(&self) -> SignedDuration {
        let text = fs::read_to_string(&self.seconds).unwrap_or_default();
        SignedDuration::from_secs(text.trim().parse().unwrap_or(0))
    }
}

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.ahead()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep_until(&self, at: Timestamp) {
        while self.now() < at {
            let soon = self.clock.now().saturating_add(LOOK_EVERY).unwrap_or(Timestamp::MAX);
            self.clock.sleep_until(soon).await;
        }
    }
}
