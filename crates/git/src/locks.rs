//! Locks by name, for what must not happen twice at once in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// One lock for each name that is in use.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    by_name: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl Locks {
    /// Waits until nobody else holds `name`.
    pub(crate) async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        self.find(name).lock_owned().await
    }

    fn find(&self, name: &str) -> Arc<AsyncMutex<()>> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = by_name.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        // Names of workspaces come and go for ever: forget those that nobody holds.
        by_name.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(AsyncMutex::new(()));
        by_name.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }
}
