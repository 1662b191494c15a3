//! The world outside, as letters reach it.

use std::time::Duration;

use async_trait::async_trait;
use domain::outbox::Letter;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The destination has the letter, durably; now or since an earlier try.
    Delivered {
        /// What the destination calls it.
        remote: Option<String>,
    },
    /// Not this time, or nobody knows.
    Retry {
        /// Why.
        why: String,
        /// How long the destination wants to be left alone.
        after: Option<Duration>,
    },
    /// Never.
    Refused {
        /// Why.
        why: String,
    },
}

/// Where letters go.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Delivers a letter. May be cut short anywhere by being dropped, and is then called again: a destination that has
    /// the letter's key already must not take it as another one.
    async fn deliver(&self, letter: &Letter) -> Delivery;

    /// Ends what earlier deliveries of a letter may have left at work: it is given up. Takes seconds at most.
    async fn abandon(&self, letter: &Letter);
}
