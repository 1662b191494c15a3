//! A store in plain maps: what a store must do, simple enough to be seen to be right.
//!
//! It forgets everything when it is dropped. Real stores are held against it by the conformance suite.

mod letters;
mod model;
mod port;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard};

pub(crate) use model::Model;

/// A store in plain maps.
#[derive(Debug, Default)]
pub struct ModelStore {
    model: Mutex<Model>,
}

impl ModelStore {
    /// A backup.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { model: Mutex::new(self.model().clone()) }
    }

    /// Puts a backup in the place of everything.
    pub fn bring_back(&self, backup: &Self) {
        let model = backup.model().clone();
        *self.model() = model;
    }

    /// Looks at everything that is remembered.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Model) -> T) -> T {
        look(&self.model())
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("no verb of the model panics")
    }
}
