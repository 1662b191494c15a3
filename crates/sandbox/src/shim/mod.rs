//! The small program that stands between the orchestrator and a command, and outlives the orchestrator.
//!
//! Two processes of the same program: the *supervisor* owns the directory, the logs, the limits and the exit record; the *init*
//! is inside the wall, starts the command, adopts what it leaves behind and ends it. Neither is asynchronous nor has threads.

mod control;
mod course;
mod family;
mod init;
mod oom;
mod pump;
mod record;
mod signals;
mod start_init;
mod supervisor;
mod wall;
mod watch;

use camino::Utf8Path;
pub(crate) use supervisor::{NOT_NEEDED, TAKEN};

/// Runs the shim and returns its exit code. `place` is the last argument of its command line: the directory of a sandbox, or
/// what the supervisor hands to the init.
///
/// To be called before the process has started any thread, and as the only thing that it does.
pub fn main(place: &Utf8Path) -> i32 {
    match place.as_str().strip_prefix(control::INIT_MARK) {
        Some(descriptors) => init::run(descriptors),
        None => supervisor::run(place),
    }
}
