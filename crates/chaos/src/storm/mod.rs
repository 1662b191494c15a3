//! Chaos: many pipelines, and something killed again and again, until every effect is counted.

mod audit;
mod faults;
mod processes;
mod report;
mod site;

use std::{
    thread,
    time::{Duration, Instant},
};

pub use report::Report;

use self::{
    faults::{Fault, Tally},
    site::Site,
};

/// How long everything may take to come to an end once nothing is killed any more.
const CALM_WITHIN: Duration = Duration::from_mins(10);
/// How often displayed state is compared with the processes there are: after so many faults.
const COMPARE_EVERY: u32 = 20;
/// The longest pause between two faults.
const PAUSE_MS_MAX: u64 = 900;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Storm {
    /// The binary with failpoints.
    pub program: String,
    /// How many faults.
    pub kills: u32,
    /// Over how many pipelines at least.
    pub pipelines: u32,
    /// Decides what is killed when.
    pub seed: u64,
}

impl Storm {
    /// Lets it loose, and says what came of it.
    ///
    /// # Panics
    /// Where the machine refuses what a test needs: processes, files, git.
    #[must_use]
    pub fn run(&self) -> Report {
        let started = Instant::now();
        let mut site = Site::new(self);
        let mut tally = Tally::default();
        site.begin(self.pipelines);
        while tally.total() < self.kills {
            thread::sleep(Duration::from_millis(site.chance.below(PAUSE_MS_MAX)));
            if !site.keep_at_work() {
                // Everything was delivered before enough was killed.
                site.begin(self.pipelines.div_ceil(5));
            }
            let fault = Fault::choose(&mut site.chance);
            if fault.strike(&mut site) {
                tally.count(fault);
                if tally.total().is_multiple_of(COMPARE_EVERY) {
                    site.keep_at_work();
                    audit::compare_display(&mut site);
                }
            }
        }
        let calm = Instant::now();
        while site.keep_at_work() {
            if calm.elapsed() > CALM_WITHIN {
                site.accuse(format!("no end within {CALM_WITHIN:?} after the last fault"));
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        audit::audit(site, &tally, self, started)
    }
}
