//! Watches an agent at work: is it silent, does it go round in circles, does it get anywhere, does the same thing
//! fail again and again?
//!
//! Pure: what was heard and when goes in, an [`Alarm`] or nothing comes out. An alarm stops the run and tells the next
//! one what was seen. Nothing here judges the work, and what is new, however slow, is never an alarm.

mod alarm;
mod errors;
mod novelty;
mod progress;
mod repetition;
mod silence;
mod supervisor;
#[cfg(test)]
mod tests;

pub use alarm::Alarm;
pub use supervisor::{Limits, Supervisor};
