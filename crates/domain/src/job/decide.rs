//! What may happen to a job.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Budget, Job, JobState, JobStateTag, Lease, backoff};
use crate::{
    failure::{Failure, FailureClass},
    limits::{JOB_ATTEMPTS_MAX, JOB_HOLDS_MAX, JOB_LOST_MAX, JOB_TRANSIENT_ATTEMPTS_MAX},
};

/// What can happen to a job.
#[derive(Clone, Debug, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(JobInputTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum JobInput {
    /// A worker takes it.
    Claim {
        /// The worker.
        owner: String,
        /// How long nobody else may.
        ttl: Duration,
    },
    /// The worker is still there.
    Heartbeat {
        /// Its token.
        token: u64,
        /// The new end of its lease.
        until: Timestamp,
    },
    /// The worker has its result.
    Complete {
        /// Its token.
        token: u64,
    },
    /// The worker has none.
    Fail {
        /// Its token.
        token: u64,
        /// Why.
        failure: Failure,
        /// A random number in `[0, 1)` for the backoff.
        jitter: f64,
    },
    /// The worker stops in good order and gives it back.
    Release {
        /// Its token.
        token: u64,
    },
    /// Nobody heard of the worker for the length of its lease, or its process is known to be gone.
    Expire,
    /// The pipeline does not want it any more.
    Cancel,
}

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobNext {
    /// Its next state.
    pub state: JobState,
    /// Its next budget.
    pub budget: Budget,
}

/// Why nothing happens to a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobRefusal {
    /// The worker has lost its lease: whatever it brings is somebody else's by now.
    #[error("the lease token {given} is not the current one")]
    Fenced {
        /// The token that it showed.
        given: u64,
    },
    /// The state does not allow it.
    #[error("a job that is `{state}` cannot be {input}")]
    NotAllowed {
        /// Its state.
        state: JobStateTag,
        /// What was tried.
        input: JobInputTag,
    },
}

impl Job {
    /// Decides what `input` does to this job. Pure and total.
    pub fn decide(&self, input: &JobInput, now: Timestamp) -> Result<JobNext, JobRefusal> {
        use JobInput as I;
        use JobState as S;

        let not_allowed =
            || JobRefusal::NotAllowed { state: (&self.state).into(), input: input.into() };
        let to = |state| Ok(JobNext { state, budget: self.budget });

        match &self.state {
            S::Queued { available_at } => match input {
                I::Claim { owner, ttl } if *available_at <= now => {
                    let lease = Lease {
                        owner: owner.clone(),
                        token: self.claims + 1,
                        expires_at: later(now, *ttl),
                    };
                    to(S::Running { lease })
                }
                I::Cancel => to(S::Cancelled),
                // A worker that was thought dead speaks up after its job went back.
                I::Heartbeat { token, .. }
                | I::Complete { token }
                | I::Release { token }
                | I::Fail { token, .. } => Err(JobRefusal::Fenced { given: *token }),
                I::Claim { .. } | I::Expire => Err(not_allowed()),
            },
            S::Running { lease } => match input {
                I::Heartbeat { token, .. }
                | I::Complete { token }
                | I::Release { token }
                | I::Fail { token, .. }
                    if *token != lease.token =>
                {
                    Err(JobRefusal::Fenced { given: *token })
                }
                I::Heartbeat { until, .. } => {
                    to(S::Running { lease: Lease { expires_at: *until, ..lease.clone() } })
                }
                I::Complete { .. } => to(S::Done),
                I::Release { .. } => to(S::Queued { available_at: now }),
                I::Fail { failure, jitter, .. } => Ok(self.after(failure, *jitter, now)),
                I::Expire => Ok(self.after(
                    &Failure::new(FailureClass::Lost, "its worker is gone"),
                    0.0,
                    now,
                )),
                I::Cancel => to(S::Cancelled),
                I::Claim { .. } => Err(not_allowed()),
            },
            S::Done | S::Failed | S::Cancelled => match input {
                I::Heartbeat { token, .. }
                | I::Complete { token }
                | I::Release { token }
                | I::Fail { token, .. } => Err(JobRefusal::Fenced { given: *token }),
                I::Claim { .. } | I::Expire | I::Cancel => Err(not_allowed()),
            },
        }
    }

    /// What a failure does to the budgets, and whether they allow another try.
    fn after(&self, failure: &Failure, jitter: f64, now: Timestamp) -> JobNext {
        let before = self.budget;
        let wait = |failures: u32| later(now, backoff(failures, failure.retry_after, jitter));
        let (budget, again_at) = match failure.class {
            FailureClass::Permanent | FailureClass::Resource => {
                let attempts = before.attempts + 1;
                let again = (attempts < JOB_ATTEMPTS_MAX).then_some(now);
                (Budget { attempts, lost: 0, ..before }, again)
            }
            FailureClass::Transient => {
                let transient_attempts = before.transient_attempts + 1;
                let again = (transient_attempts < JOB_TRANSIENT_ATTEMPTS_MAX)
                    .then(|| wait(before.transient_attempts));
                (Budget { transient_attempts, lost: 0, ..before }, again)
            }
            FailureClass::Lost => {
                let lost = before.lost + 1;
                (Budget { lost, ..before }, (lost <= JOB_LOST_MAX).then_some(now))
            }
            // It may go on at once: what keeps it is the breaker, for as long as that is so.
            FailureClass::Quota | FailureClass::Credentials => {
                let holds = before.holds + 1;
                (Budget { holds, lost: 0, ..before }, (holds <= JOB_HOLDS_MAX).then_some(now))
            }
        };
        let state =
            again_at.map_or(JobState::Failed, |available_at| JobState::Queued { available_at });
        JobNext { state, budget }
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
