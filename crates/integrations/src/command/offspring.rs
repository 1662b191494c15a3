//! What a command has started: known by what it was given in its environment, wherever it has gone.
//!
//! A process that begins a session of its own is in no group of ours, and is nobody's child any more once whoever started
//! it has ended. What it has inherited it keeps, unless it hides that on purpose.

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The variable that marks whatever comes of a delivery.
const NAME: &str = "GATEWRIGHT_DELIVERY";
/// How often everything is looked through, should something be started meanwhile.
const ROUNDS_MAX: u32 = 10;

/// Deliveries of this process so far.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// The mark of one delivery.
#[derive(Clone, Debug)]
pub(super) struct Mark(String);

impl Mark {
    /// A mark that no other delivery has, for the letter of that key.
    pub(super) fn new(letter: &str) -> Self {
        let number = DELIVERIES.fetch_add(1, Ordering::Relaxed);
        Self(format!("{letter}/{}/{number}", std::process::id()))
    }

    /// The variable that a command is to be given.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (NAME, &self.0)
    }

    /// Kills every process that has it. Looks through all processes, which takes some milliseconds.
    pub(super) fn kill_all(&self) {
        let mut killed = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            let found: Vec<i32> =
                self.bearers().into_iter().filter(|pid| !killed.contains(pid)).collect();
            for pid in &found {
                // The only failure is that it is gone.
                kill(Pid::from_raw(*pid), Signal::SIGKILL).ok();
            }
            if found.is_empty() {
                return;
            }
            killed.extend(found);
        }
    }

    /// The processes that have it. Those of other people cannot be asked, and are none of ours.
    fn bearers(&self) -> Vec<i32> {
        let wanted = format!("{NAME}={}", self.0).into_bytes();
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let has_it = |pid: &i32| {
            let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            variables.split(|byte| *byte == 0).any(|variable| variable == wanted)
        };
        pids.filter(has_it).collect()
    }
}
