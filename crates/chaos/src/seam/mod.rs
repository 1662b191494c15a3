//! What stands between the engine and its ports, as the environment says.

mod git;
mod sandbox;

use std::{env, process, sync::Arc};

use engine::Ports;
use testkit::world::{Calls, WatchedStore};

use self::{git::WatchedGit, sandbox::WatchedSandbox};
use crate::{clock::MovedClock, point::Point};

/// The variable that names a failpoint.
pub const FAILPOINT: &str = "CHAOS_FAILPOINT";
/// The variable that names a file with the seconds that the clock is ahead.
pub const CLOCK: &str = "CHAOS_CLOCK";

/// The ports, watched.
pub fn seam(ports: Ports) -> Ports {
    let calls = Arc::<Calls>::default();
    if let Ok(text) = env::var(FAILPOINT) {
        match text.parse::<Point>() {
            Ok(point) => point.arm(&calls),
            Err(error) => refuse(&error),
        }
    }
    let Ports { store, clock, git, sandbox, entropy, wakeup, gates, briefs, files, machine } =
        ports;
    let clock = match env::var(CLOCK) {
        Ok(file) => Arc::new(MovedClock::new(clock, file.into())),
        Err(_) => clock,
    };
    Ports {
        store: Arc::new(WatchedStore::new(store, Arc::clone(&calls))),
        git: Arc::new(WatchedGit::new(git, Arc::clone(&calls))),
        sandbox: Arc::new(WatchedSandbox::new(sandbox, calls)),
        clock,
        entropy,
        wakeup,
        gates,
        briefs,
        files,
        machine,
    }
}

/// A test that means something else than it says must not pass.
#[expect(
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::exit,
    reason = "there is no other way out of a seam"
)]
fn refuse(error: &str) -> ! {
    eprintln!("error: {error}");
    process::exit(2)
}
