//! What may happen to a breaker.

use jiff::{SignedDuration, Timestamp};

use super::{Breaker, BreakerState, Hold, HoldReason, Probe};
use crate::{
    failure::{Failure, FailureClass},
    limits::{BACKOFF_MAX, BREAKER_FAILURES_MAX, BREAKER_OPEN},
};

/// What can happen to a breaker.
#[derive(Clone, Debug, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(BreakerInputTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum BreakerInput {
    /// An agent's run came to its end.
    Succeeded {
        /// The job that it was for.
        by: Probe,
    },
    /// An agent's run failed.
    Failed {
        /// The job that it was for.
        by: Probe,
        /// Why.
        failure: Failure,
    },
    /// A job is given out although it is not closed.
    Try {
        /// The job.
        by: Probe,
    },
    /// A person says that it is well again.
    Resume,
}

/// What becomes of a breaker.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerNext {
    /// Its next state; the same where nothing changed.
    pub state: BreakerState,
    /// It is open now for a reason that it was not open for before: somebody should hear of it.
    pub opened: bool,
}

/// What a breaker says to a job that wants to be given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Go.
    Free,
    /// Go, alone.
    Try,
    /// Wait, until then or for a person; until the probe has ended where that has come.
    Wait {
        /// Until when.
        until: Option<Timestamp>,
    },
}

impl Breaker {
    /// Whether a job of the kind may be given out. `probe_runs` says whether the probe's job runs under its token
    /// still: one that was lost, cancelled or given back must not hold the others for ever.
    #[must_use]
    pub fn turn(&self, now: Timestamp, probe_runs: impl FnOnce(&Probe) -> bool) -> Turn {
        match &self.state {
            BreakerState::Closed { .. } => Turn::Free,
            BreakerState::Open { hold } if hold.until.is_some_and(|until| until <= now) => {
                Turn::Try
            }
            BreakerState::Open { hold } => Turn::Wait { until: hold.until },
            BreakerState::HalfOpen { probe, .. } if probe_runs(probe) => {
                Turn::Wait { until: Some(now) }
            }
            BreakerState::HalfOpen { .. } => Turn::Try,
        }
    }

    /// Decides what `input` does to this breaker. Pure and total.
    #[must_use]
    pub fn decide(&self, input: &BreakerInput, now: Timestamp) -> BreakerNext {
        use BreakerInput as I;
        use BreakerState as S;

        let stay = || BreakerNext { state: self.state.clone(), opened: false };
        match &self.state {
            S::Closed { failures } => match input {
                I::Succeeded { .. } | I::Resume => closed(),
                I::Failed { failure, .. } => counted(*failures, failure, now),
                I::Try { .. } => stay(),
            },
            S::Open { hold } => match input {
                // Runs that began before it opened tell nothing that it does not know, but for a better reason.
                I::Failed { failure, .. } => match reason(failure.class) {
                    Some(found) if found > hold.reason => open(Some(hold), found, failure, now),
                    Some(HoldReason::Quota) if hold.reason == HoldReason::Quota => BreakerNext {
                        state: S::Open { hold: longer(hold, failure, now) },
                        opened: false,
                    },
                    _ => stay(),
                },
                I::Try { by } if hold.until.is_some_and(|until| until <= now) => BreakerNext {
                    state: S::HalfOpen { hold: hold.clone(), probe: *by },
                    opened: false,
                },
                I::Resume => due(hold, now),
                I::Succeeded { .. } | I::Try { .. } => stay(),
            },
            S::HalfOpen { hold, probe } => match input {
                I::Succeeded { by } if by == probe => closed(),
                I::Failed { by, failure } if by == probe => match failure.class {
                    FailureClass::Permanent | FailureClass::Resource => closed(),
                    FailureClass::Transient => open(Some(hold), HoldReason::Failures, failure, now),
                    FailureClass::Quota => open(Some(hold), HoldReason::Quota, failure, now),
                    FailureClass::Credentials => {
                        open(Some(hold), HoldReason::Credentials, failure, now)
                    }
                    // It says nothing: the next one tries.
                    FailureClass::Lost => due(hold, now),
                },
                I::Try { by } => BreakerNext {
                    state: S::HalfOpen { hold: hold.clone(), probe: *by },
                    opened: false,
                },
                // Whatever became of the probe, another one may try.
                I::Resume => due(hold, now),
                I::Succeeded { .. } | I::Failed { .. } => stay(),
            },
        }
    }
}

const fn closed() -> BreakerNext {
    BreakerNext { state: BreakerState::Closed { failures: 0 }, opened: false }
}

/// The next job tries.
fn due(hold: &Hold, now: Timestamp) -> BreakerNext {
    let hold = Hold { until: Some(now), ..hold.clone() };
    BreakerNext { state: BreakerState::Open { hold }, opened: false }
}

/// A failure while it is closed.
fn counted(failures: u32, failure: &Failure, now: Timestamp) -> BreakerNext {
    let stays = |failures| BreakerNext { state: BreakerState::Closed { failures }, opened: false };
    match failure.class {
        FailureClass::Transient if failures + 1 < BREAKER_FAILURES_MAX => stays(failures + 1),
        FailureClass::Transient => open(None, HoldReason::Failures, failure, now),
        FailureClass::Quota => open(None, HoldReason::Quota, failure, now),
        FailureClass::Credentials => open(None, HoldReason::Credentials, failure, now),
        // The provider answered: the streak is broken.
        FailureClass::Permanent | FailureClass::Resource => stays(0),
        FailureClass::Lost => stays(failures),
    }
}

/// What a failure means by itself, without a streak.
const fn reason(class: FailureClass) -> Option<HoldReason> {
    match class {
        FailureClass::Quota => Some(HoldReason::Quota),
        FailureClass::Credentials => Some(HoldReason::Credentials),
        FailureClass::Transient
        | FailureClass::Permanent
        | FailureClass::Resource
        | FailureClass::Lost => None,
    }
}

fn open(
    before: Option<&Hold>,
    reason: HoldReason,
    failure: &Failure,
    now: Timestamp,
) -> BreakerNext {
    let until = match reason {
        HoldReason::Failures => {
            let wish = failure.retry_after.unwrap_or_default().min(BACKOFF_MAX);
            let wait = SignedDuration::try_from(BREAKER_OPEN.max(wish));
            Some(now.saturating_add(wait.unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX))
        }
        HoldReason::Quota => Some(failure.window_opens_at(now)),
        HoldReason::Credentials => None,
    };
    let same = before.filter(|hold| hold.reason == reason);
    let since = same.map_or(now, |hold| hold.since);
    let hold = Hold { since, until, reason, message: failure.message.clone() };
    BreakerNext { state: BreakerState::Open { hold }, opened: same.is_none() }
}

/// A spent window that another run knows more about.
fn longer(hold: &Hold, failure: &Failure, now: Timestamp) -> Hold {
    Hold { until: hold.until.max(Some(failure.window_opens_at(now))), ..hold.clone() }
}
