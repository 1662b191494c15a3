//! The built-in agent: plays a scenario instead of thinking.
//!
//! `args = ["demo"]` names a scenario that ships with the binary, `args = ["/path/to/mine.toml"]` a file of one's own; the
//! format is described at [`scenario::Scenario`]. What it does is real: files, commits, commands, exit codes. Only the
//! thinking is not. It is the agent of the demo and of tests, and it misbehaves on request.

pub mod catalog;
pub mod demo;
pub mod scenario;

mod agent;
mod events;
mod files;
mod player;
mod processes;
mod select;

pub(crate) use agent::Scripted;
pub use catalog::{ScenarioInfo, scenarios};
pub use demo::{DemoFile, demo_repository};
pub use player::{Options, play};
