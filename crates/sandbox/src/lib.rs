//! Isolation of processes, and the shim that outlives the orchestrator.
//!
//! A sandbox is a directory. The orchestrator writes an order into it and starts a shim; the shim runs the command behind its
//! wall, writes the logs and, at the end, the exit record. Everything else - adopting after a restart, waiting, stopping - is
//! reading that directory. `AGENTS.md` next to this crate draws it.
//!
//! This is the only crate that may contain `unsafe` code.

mod bubblewrap;
mod check;
mod check_spec;
mod files;
mod launch;
mod leftovers;
mod lock;
mod logs;
mod order;
mod probe;
mod procfs;
mod protocol;
mod remove;
mod select;
pub mod shim;
mod shimmed;
mod status;
mod stop;
mod wait;

pub use lock::is_alive;
pub use probe::{Probe, probe};
pub use select::{Backend, Options, Selection, select};
pub use status::has_ended;
