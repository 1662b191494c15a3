//! What exists in Gatewright and what may happen to it.
//!
//! Pure: no I/O, no clock, no randomness, no async. Everything that changes a pipeline is decided here,
//! by [`pipeline::decide`]; everything else in the workspace only produces inputs or carries out effects.

mod checked_text;
pub mod fingerprint;
pub mod id;
pub mod limits;
pub mod name;
pub mod revision;
pub mod secrets;

pub mod item;
pub mod usage;
pub mod verdict;

pub mod breaker;
pub mod failure;
pub mod path_rules;

pub mod brief;
pub mod definition;

pub mod decision;
pub mod explain;
pub mod job;
pub mod outbox;
pub mod pipeline;
pub mod run;
pub mod supervision;
