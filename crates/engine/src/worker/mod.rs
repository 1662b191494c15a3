//! The loop that claims jobs, does them, and keeps their leases alive.
//!
//! One loop does all of it, so that a loop that has died cannot go on sending heartbeats.

mod letters;
mod overdue;
mod refusals;
mod report;
mod run_loop;
mod stop;

pub(crate) use refusals::Refusals;
pub(crate) use report::{STORE_RETRY, STORE_TRIES};
pub use run_loop::AtRest;
pub(crate) use stop::{Interrupt, Running, interrupted};
pub use stop::{StopMode, StopSignal, stop_channel};
