//! Codex, run without a terminal: `codex exec --json`.
//!
//! Its count of tokens is that of the conversation: a run that goes on with one reports what all its runs used. The
//! stream does not tell the earlier part, so the total is passed on as it is. A budget that adds such runs up closes
//! too early, never too late; whoever knows the earlier run's total may subtract it.

mod agent;
mod launch;
mod parser;
mod wire;

pub(crate) use agent::Codex;
