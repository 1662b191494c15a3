//! `command`: the command exits 0 on a clean checkout, in a sandbox, without credentials.
//!
//! The command is the project's, but what it runs is the branch's: hostile code. Nothing is read from the checkout or
//! the home once it has run; only the exit record and the logs count, and both belong to the shim.

mod judge;

mod keep;

mod execution;
mod places;

mod log;
mod tail;

mod output;

mod missing;
mod outcome;

pub(crate) use judge::{Task, judge};
pub(crate) use places::Places;
