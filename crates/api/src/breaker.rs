//! Why agents of a kind wait.

use std::collections::BTreeMap;

use domain::{
    breaker::{Breaker, BreakerKey, BreakerState, BreakerStateTag, HoldReason},
    name::AgentName,
};
use jiff::Timestamp;
use serde::Serialize;

/// A breaker that keeps agents from being started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakerView {
    /// The kind of agent and its provider.
    pub breaker: BreakerKey,
    /// `open`, or `half_open` while one job tries.
    pub state: String,
    /// The agents behind it.
    pub agents: Vec<AgentName>,
    /// Why it is so.
    pub reason: HoldReason,
    /// What the last run said that met it.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
    /// When one of them may try; absent where a person has to come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl BreakerView {
    /// What a breaker holds back, if anything. `guards` says which agents stand behind which breaker.
    #[must_use]
    pub fn of(breaker: &Breaker, guards: &BTreeMap<AgentName, BreakerKey>) -> Option<Self> {
        let hold = breaker.state.hold()?;
        let behind = guards.iter().filter(|(_, key)| **key == breaker.key);
        Some(Self {
            breaker: breaker.key.clone(),
            state: BreakerStateTag::from(&breaker.state).to_string(),
            agents: behind.map(|(agent, _)| agent.clone()).collect(),
            reason: hold.reason,
            message: hold.message.clone(),
            since: hold.since,
            until: match breaker.state {
                BreakerState::Open { .. } => hold.until,
                BreakerState::Closed { .. } | BreakerState::HalfOpen { .. } => None,
            },
        })
    }

    /// Whether only a person can change it.
    #[must_use]
    pub fn waits_for_a_person(&self) -> bool {
        self.until.is_none() && self.state == BreakerStateTag::Open.to_string()
    }
}
