//! Looks whether things can work before jobs are given out: room on the machine, the sandbox, the agents.
//!
//! The loop goes by the last answers, and has them renewed beside itself before they count no more: a program that
//! hangs keeps nobody but its own jobs waiting. What was found counts for a while, so that it costs nothing where much
//! is started. What cannot work leaves its jobs in the queue, spends nothing, and is said: to whoever watches, and in a
//! file that other processes read. A loop that would end waits until that file says what its first look found.

mod answers;
mod beside;
mod lack;
mod look;
mod tell;

pub(crate) use answers::Preflight;
pub(crate) use beside::Looks;
pub use lack::Lack;
pub(crate) use tell::Told;
