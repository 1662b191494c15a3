//! A breaker and the states it can be in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::BreakerKey;
use crate::id::JobId;

/// Why agents of a kind are not started.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HoldReason {
    /// The provider is unwell: several runs in a row met it so.
    Failures,
    /// A quota window is spent.
    Quota,
    /// The provider does not know us. Only a person can change that.
    Credentials,
}

/// What keeps agents of a kind from being started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Since when, for this reason.
    pub since: Timestamp,
    /// When one of them may try; `None` waits for a person.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: HoldReason,
    /// What the last run said that met it.
    pub message: String,
}

/// The one job that tries whether it is well again, by its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The job.
    pub job: JobId,
    /// Its fencing token: the probe is over when the job no longer runs under it.
    pub token: u64,
}

/// Where a breaker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(BreakerStateTag),
    derive(PartialOrd, Ord, strum::Display, strum::EnumString, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum BreakerState {
    /// Agents are started.
    Closed {
        /// Transient failures in a row.
        failures: u32,
    },
    /// No agent is started.
    Open {
        /// Why, and until when.
        hold: Hold,
    },
    /// One job tries.
    HalfOpen {
        /// Why it was open.
        hold: Hold,
        /// The job.
        probe: Probe,
    },
}

impl BreakerState {
    /// What keeps agents from being started, if anything.
    #[must_use]
    pub const fn hold(&self) -> Option<&Hold> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { hold } | Self::HalfOpen { hold, .. } => Some(hold),
        }
    }
}

/// A breaker as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// What it is about.
    pub key: BreakerKey,
    /// Rises by one with every change; 0 where it was never written.
    pub version: u64,
    /// Where it is.
    pub state: BreakerState,
}

impl Breaker {
    /// One that nothing has happened to.
    #[must_use]
    pub const fn new(key: BreakerKey) -> Self {
        Self { key, version: 0, state: BreakerState::Closed { failures: 0 } }
    }

    /// What keeps a job of the kind that may be given out from `due` on, and not before. Of the two, the later one moves
    /// it: where its own time comes after the breaker's, it tries then, and nothing but that keeps it.
    #[must_use]
    pub fn keeps(&self, due: Timestamp, now: Timestamp) -> Option<&Hold> {
        let at = due.max(now);
        match &self.state {
            BreakerState::Closed { .. } => None,
            BreakerState::Open { hold } => {
                (hold.until.is_none_or(|until| until > at)).then_some(hold)
            }
            BreakerState::HalfOpen { hold, .. } => (due <= now).then_some(hold),
        }
    }

    /// The same in another state, as it is written next.
    #[must_use]
    pub fn next(&self, state: BreakerState) -> Self {
        Self { key: self.key.clone(), version: self.version + 1, state }
    }
}
