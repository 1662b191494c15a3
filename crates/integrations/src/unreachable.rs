//! A destination that is configured and cannot be reached as things are.

use async_trait::async_trait;
use domain::outbox::Letter;
use ports::{Delivery, Destination};

/// Takes nothing and says why: its letters wait, and are dead in the end, as with any that is away for long.
#[derive(Clone, Debug)]
pub struct UnreachableDestination {
    why: String,
}

impl UnreachableDestination {
    /// One with that reason.
    #[must_use]
    pub const fn new(why: String) -> Self {
        Self { why }
    }
}

#[async_trait]
impl Destination for UnreachableDestination {
    async fn deliver(&self, _letter: &Letter) -> Delivery {
        Delivery::Retry { why: self.why.clone(), after: None }
    }

    async fn abandon(&self, _letter: &Letter) {}
}
