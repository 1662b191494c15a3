//! Circuit breakers: whether agents of a kind may be started at all.
//!
//! One for each kind of agent and provider that it talks to, remembered like a pipeline. What comes of a run is fed to
//! [`Breaker::decide`]; claims keep the jobs of an open breaker in the queue, and let one of them try when its time
//! has come.

mod decide;
mod key;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{BreakerInput, BreakerNext, Turn};
pub use key::BreakerKey;
pub use state::{Breaker, BreakerState, BreakerStateTag, Hold, HoldReason, Probe};
