//! Being told that there may be something to do.

use async_trait::async_trait;

/// A notification inside the process or from a database. Says "look now", never "this changed".
#[async_trait]
pub trait Wakeup: Send + Sync {
    /// Wakes one waiter, or the next one to come.
    fn wake(&self);

    /// Waits for a wake-up that came after the last return.
    async fn woken(&self);
}
