//! Coding-agent command lines: launch line, event stream, failure classification.
//!
//! One folder a kind. What an agent says of its own work decides nothing: a parser tells how a run ended from
//! events and exit record, and everything else is judged by what the run left in git.

mod check;
mod destination;
mod ending;
mod kinds;
mod lookup;
mod opening;
mod patience;
mod provider;
mod tokens;
mod trouble;
mod visible;
mod words;

mod claude;
mod codex;
mod command;
pub mod scripted;

pub use check::check;
pub use kinds::{KINDS, find};
pub use trouble::is_refusal;
