//! A clock that moves on by a second whenever somebody looks.

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use ports::Clock;

#[derive(Default)]
pub(crate) struct FakeClock {
    seconds: AtomicI64,
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        let seconds = 1_700_000_000 + self.seconds.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_second(seconds).unwrap()
    }

    async fn sleep_until(&self, _at: Timestamp) {
        panic!("gates do not sleep");
    }
}
