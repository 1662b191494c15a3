//! Coding agents.

use domain::breaker::BreakerKey;
use serde::Serialize;

use crate::BreakerView;

/// A coding agent, and whether it can be started here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentView {
    /// Its name: what `--agent` takes.
    pub name: String,
    /// Which kind it is.
    pub kind: String,
    /// Whether the configuration names it; otherwise it is a kind that can be used as it is.
    pub configured: bool,
    /// The program that would be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What it says of its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it cannot be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What mends that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// Why it waits although it could be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<BreakerView>,
}

/// Something that the built-in agent can play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScenarioView {
    /// What it is asked for by.
    pub name: String,
    /// What it plays.
    pub description: String,
    /// What should come of it.
    pub expect: String,
}

/// What came of letting an agent try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResumedView {
    /// The kind of agent and its provider.
    pub breaker: BreakerKey,
    /// Whether anything held its agents back: then one job tries.
    pub resumed: bool,
}
