//! The time.

use async_trait::async_trait;
use jiff::Timestamp;

/// The only way to learn the time or to wait for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current time; never goes back within a process.
    fn now(&self) -> Timestamp;

    /// Returns once `at` has come.
    async fn sleep_until(&self, at: Timestamp);
}
