//! What may happen to a letter.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Letter, LetterState, LetterStateTag};
use crate::{
    job::backoff,
    limits::{LETTER_FAILURES_MAX, WORDS_BYTES_MAX},
};

/// What can happen to a letter.
#[derive(Clone, Debug, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(LetterInputTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum LetterInput {
    /// A process is about to deliver it.
    Take {
        /// The process.
        owner: String,
        /// How long nobody else may.
        ttl: Duration,
    },
    /// The destination has it.
    Delivered {
        /// What the destination calls it.
        remote: Option<String>,
    },
    /// The destination will never take it.
    Refused {
        /// Why.
        why: String,
    },
    /// Delivering it has ended the process time and again: nobody has tried, and nobody will.
    GivenUp {
        /// Why.
        why: String,
    },
    /// The destination did not take it this time.
    Failed {
        /// Why.
        why: String,
        /// How long the destination wants to be left alone.
        retry_after: Option<Duration>,
        /// A random number in `[0, 1)` for the backoff.
        jitter: f64,
    },
    /// The process stops in good order and gives it back.
    Released,
    /// The process is known to be gone.
    Lost,
    /// A person has it tried again, at once and with all of its tries.
    Retry,
    /// A person decides that it is not to be delivered.
    Drop {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// Why nothing happens to a letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterRefusal {
    /// Its time has not come, or somebody else is delivering it.
    #[error("it cannot be taken before {at}")]
    NotDue {
        /// When it can.
        at: Timestamp,
    },
    /// The state does not allow it.
    #[error("a letter that is `{state}` does not take `{input}`")]
    NotAllowed {
        /// Its state.
        state: LetterStateTag,
        /// What was tried.
        input: LetterInputTag,
    },
    /// More words than anybody reads.
    #[error("the reason has {found} bytes, at most {max} fit", max = WORDS_BYTES_MAX)]
    LongWords {
        /// How many.
        found: usize,
    },
}

impl Letter {
    /// Decides what `input` does to this letter: the letter as it is then, its version one higher. Pure and total.
    pub fn decide(&self, input: &LetterInput, now: Timestamp) -> Result<Self, LetterRefusal> {
        use LetterInput as I;
        use LetterState as S;

        if let I::Drop { reason, .. } = input
            && reason.len() > WORDS_BYTES_MAX
        {
            return Err(LetterRefusal::LongWords { found: reason.len() });
        }
        let not_allowed =
            || LetterRefusal::NotAllowed { state: (&self.state).into(), input: input.into() };
        let mut next = Self { version: self.version + 1, ..self.clone() };
        match &self.state {
            S::Queued { available_at } => match input {
                I::Take { owner, ttl } => {
                    due(*available_at, now)?;
                    next.send(owner, *ttl, now);
                }
                I::Retry => next.begin_anew(now),
                I::Drop { by, reason } => next.drop_for(by, reason, now),
                I::Delivered { .. }
                | I::Refused { .. }
                | I::GivenUp { .. }
                | I::Failed { .. }
                | I::Released
                | I::Lost => return Err(not_allowed()),
            },
            S::Sending { expires_at, .. } => match input {
                // Whoever had it was not heard of for the length of its lease.
                I::Take { owner, ttl } => {
                    due(*expires_at, now)?;
                    next.lost += 1;
                    next.send(owner, *ttl, now);
                }
                I::Delivered { remote } => {
                    next.lost = 0;
                    next.state = S::Delivered { at: now, remote: remote.clone() };
                }
                I::Refused { why } => {
                    next.lost = 0;
                    next.failures += 1;
                    next.die(why, now);
                }
                I::GivenUp { why } => next.die(why, now),
                I::Failed { why, retry_after, jitter } => {
                    next.lost = 0;
                    next.failures += 1;
                    if next.failures < LETTER_FAILURES_MAX {
                        let wait = backoff(self.failures, *retry_after, *jitter);
                        next.state = S::Queued { available_at: later(now, wait) };
                        next.last_error = Some(why.clone());
                    } else {
                        next.die(why, now);
                    }
                }
                I::Released => next.state = S::Queued { available_at: now },
                I::Lost => {
                    next.lost += 1;
                    next.state = S::Queued { available_at: now };
                }
                I::Retry | I::Drop { .. } => return Err(not_allowed()),
            },
            S::Dead { .. } => match input {
                I::Retry => next.begin_anew(now),
                I::Drop { by, reason } => next.drop_for(by, reason, now),
                I::Take { .. }
                | I::Delivered { .. }
                | I::Refused { .. }
                | I::GivenUp { .. }
                | I::Failed { .. }
                | I::Released
                | I::Lost => return Err(not_allowed()),
            },
            S::Delivered { .. } | S::Dropped { .. } => return Err(not_allowed()),
        }
        Ok(next)
    }

    fn send(&mut self, owner: &str, ttl: Duration, now: Timestamp) {
        self.state = LetterState::Sending { owner: owner.to_owned(), expires_at: later(now, ttl) };
    }

    fn die(&mut self, why: &str, now: Timestamp) {
        self.state = LetterState::Dead { at: now, why: why.to_owned() };
        self.last_error = Some(why.to_owned());
    }

    fn begin_anew(&mut self, now: Timestamp) {
        (self.failures, self.lost) = (0, 0);
        self.state = LetterState::Queued { available_at: now };
    }

    fn drop_for(&mut self, by: &str, reason: &str, now: Timestamp) {
        self.state = LetterState::Dropped { at: now, by: by.to_owned(), reason: reason.to_owned() };
    }
}

fn due(at: Timestamp, now: Timestamp) -> Result<(), LetterRefusal> {
    if at <= now { Ok(()) } else { Err(LetterRefusal::NotDue { at }) }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
