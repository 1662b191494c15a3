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

use model::Model;

/// A store in plain maps.
#[derive(Debug, Default)]
pub struct ModelStore {
    model: Mutex<Model>,
}

impl ModelStore {
    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("no verb of the model panics")
    }
}
