//! All watches over one run.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Alarm, errors::Errors, novelty::Seen, progress::Progress, repetition::Repetition,
    silence::Silence,
};
use crate::{limits, run::AgentEvent};

/// When what an agent does is an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tool calls in a row of which next to none asks or brings anything new; 0 never.
    pub repeats: u32,
    /// Equal errors in a row, nothing going well in between; 0 never.
    pub errors: u32,
    /// Time without a tool call that does anything new, the agent being busy; zero never.
    pub progress: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            repeats: limits::AGENT_REPEAT_LIMIT,
            errors: limits::AGENT_ERROR_LIMIT,
            progress: limits::AGENT_PROGRESS_LIMIT,
        }
    }
}

/// Watches over one run. Fed with every event in order; after a restart of ours once more from the first one, so that
/// what is counted is found again, and what is timed begins anew.
#[derive(Clone, Debug)]
pub struct Supervisor {
    silence: Silence,
    seen: Seen,
    repetition: Repetition,
    progress: Progress,
    errors: Errors,
}

impl Supervisor {
    /// Begins now. `stall` bounds silence, `tool` that of a call under way.
    #[must_use]
    pub fn new(now: Timestamp, stall: Duration, tool: Duration, limits: Limits) -> Self {
        Self {
            silence: Silence::new(now, stall, tool),
            seen: Seen::default(),
            repetition: Repetition::new(limits.repeats),
            progress: Progress::new(now, limits.progress),
            errors: Errors::new(limits.errors),
        }
    }

    /// The agent said or did something.
    pub fn heard(&mut self, now: Timestamp, event: &AgentEvent) -> Option<Alarm> {
        self.silence.heard(now, event);
        let novelty = self.seen.look(event);
        // Each hears everything, whichever sounds the alarm. The one that names most comes first.
        let errors = self.errors.heard(event);
        let repetition = self.repetition.heard(now, event, novelty);
        let progress = self.progress.heard(now, event, novelty);
        errors.or(repetition).or(progress)
    }

    /// When silence becomes an alarm, should nothing be heard until then.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.silence.deadline()
    }

    /// The alarm of silence, if it is time for it.
    #[must_use]
    pub fn silent(&self, now: Timestamp) -> Option<Alarm> {
        self.silence.alarm(now)
    }
}
