//! One file per gate: may this stage be left with this commit?
//!
//! Gates read files from the commit, never from a directory that an agent can write. What an agent wrote decides
//! only what its gate asks for: everything else in a file is words for people and for the next agent.

mod judge;

mod absent;
mod artifacts;
mod command;
mod questions;
mod report;
mod verdict;

mod config_changes;
mod ruling;

mod commit;
mod data;
mod document;
mod findings;
mod front_matter;
mod limits;
mod obstacle;
mod place;
mod review;
mod text;
mod yaml_cost;

pub use judge::{Judge, Options};
