//! When a command is to be stopped, and how hard. Pure: the time comes from outside.

use std::time::{Duration, Instant};

use ports::{SandboxLimits, StopReason};

/// How long the init may take to end everything before the supervisor does it from outside.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// SIGTERM to the command's group.
    Terminate,
    /// SIGKILL to everything, by the init.
    Kill,
    /// SIGKILL to everything, by the supervisor.
    Force,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    Terminating { since: Instant },
    Killing { since: Instant },
    Forced,
}

/// The way of one command from its launch to its end.
#[derive(Debug)]
pub(super) struct Course {
    limits: SandboxLimits,
    launched: Instant,
    last_output: Instant,
    phase: Phase,
    reason: Option<StopReason>,
}

impl Course {
    pub(super) fn new(limits: SandboxLimits, now: Instant) -> Self {
        Self { limits, launched: now, last_output: now, phase: Phase::Running, reason: None }
    }

    /// Notes that the command said something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.last_output = now;
    }

    /// Why it is being stopped; `None` while it is not.
    pub(super) fn reason(&self) -> Option<StopReason> {
        self.reason
    }

    /// Somebody asks for the end. Asking again changes nothing.
    pub(super) fn ask(&mut self, now: Instant) -> Option<Step> {
        matches!(self.phase, Phase::Running).then(|| self.stop(StopReason::Asked, now))
    }

    /// When [`Self::due`] is to be called next; `None` means never.
    pub(super) fn next_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => [self.time_ends(), self.silence_ends()].into_iter().flatten().min(),
            Phase::Terminating { since } => since.checked_add(self.limits.stop_grace),
            Phase::Killing { since } => since.checked_add(KILL_GRACE),
            Phase::Forced => None,
        }
    }

    /// The step that is due, taken.
    pub(super) fn due(&mut self, now: Instant) -> Option<Step> {
        if self.next_at().is_none_or(|at| now < at) {
            return None;
        }
        match self.phase {
            Phase::Running if self.time_ends().is_some_and(|at| at <= now) => {
                Some(self.stop(StopReason::TimeLimit, now))
            }
            Phase::Running => Some(self.stop(StopReason::Silence, now)),
            Phase::Terminating { .. } => {
                self.phase = Phase::Killing { since: now };
                Some(Step::Kill)
            }
            Phase::Killing { .. } => {
                self.phase = Phase::Forced;
                Some(Step::Force)
            }
            Phase::Forced => None,
        }
    }

    fn stop(&mut self, reason: StopReason, now: Instant) -> Step {
        self.phase = Phase::Terminating { since: now };
        self.reason = Some(reason);
        Step::Terminate
    }

    fn time_ends(&self) -> Option<Instant> {
        self.launched.checked_add(self.limits.time)
    }

    fn silence_ends(&self) -> Option<Instant> {
        self.last_output.checked_add(self.limits.silence?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(time: Duration, silence: Option<Duration>) -> SandboxLimits {
        SandboxLimits { time, silence, log_bytes: 1, stop_grace: 10 * SECOND }
    }

    #[test]
    fn the_time_limit_asks_then_kills_then_forces() {
        let start = Instant::now();
        let mut course = Course::new(limits(60 * SECOND, None), start);
        assert_eq!(course.due(start + 59 * SECOND), None);
        assert_eq!(course.due(start + 60 * SECOND), Some(Step::Terminate));
        assert_eq!(course.due(start + 69 * SECOND), None);
        assert_eq!(course.due(start + 70 * SECOND), Some(Step::Kill));
        assert_eq!(course.due(start + 75 * SECOND), Some(Step::Force));
        assert_eq!(course.due(start + 600 * SECOND), None);
        assert_eq!(course.reason(), Some(StopReason::TimeLimit));
    }

    #[test]
    fn output_puts_the_silence_limit_off() {
        let start = Instant::now();
        let mut course = Course::new(limits(600 * SECOND, Some(5 * SECOND)), start);
        course.heard(start + 4 * SECOND);
        assert_eq!(course.due(start + 8 * SECOND), None);
        assert_eq!(course.next_at(), Some(start + 9 * SECOND));
        assert_eq!(course.due(start + 9 * SECOND), Some(Step::Terminate));
        assert_eq!(course.reason(), Some(StopReason::Silence));
    }

    #[test]
    fn the_first_reason_stays() {
        let start = Instant::now();
        let mut course = Course::new(limits(60 * SECOND, Some(SECOND)), start);
        assert_eq!(course.ask(start), Some(Step::Terminate));
        assert_eq!(course.ask(start + SECOND), None);
        assert_eq!(course.due(start + 61 * SECOND), Some(Step::Kill));
        assert_eq!(course.reason(), Some(StopReason::Asked));
    }

    #[test]
    fn limits_beyond_the_end_of_time_are_no_limits() {
        let mut course = Course::new(limits(Duration::MAX, Some(Duration::MAX)), Instant::now());
        assert_eq!(course.next_at(), None);
        assert_eq!(course.due(Instant::now()), None);
    }
}
