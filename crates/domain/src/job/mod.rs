//! Jobs: the rows of the queue. Only what does I/O is a job.
//!
//! A job's life is decided by [`Job::decide`]. Stores repeat the same law in SQL where one statement must do;
//! the conformance suite holds both against each other.

mod backoff;
mod decide;
mod slot;
mod state;
#[cfg(test)]
mod tests;

pub use backoff::backoff;
pub use decide::{JobInput, JobNext, JobRefusal};
pub use slot::{JobKind, Slot, Work};
pub use state::{Budget, Job, JobState, JobStateTag, Lease};
