//! Wake-ups inside the process.

use async_trait::async_trait;
use ports::Wakeup;
use tokio::sync::Notify;

/// One permit: a wake-up while nobody waits is kept for the next one to come.
#[derive(Default)]
pub(crate) struct NotifyWakeup {
    notify: Notify,
}

#[async_trait]
impl Wakeup for NotifyWakeup {
    fn wake(&self) {
        self.notify.notify_one();
    }

    async fn woken(&self) {
        self.notify.notified().await;
    }
}
