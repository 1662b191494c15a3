//! A role: a prompt, and what its agent may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    name::{AgentName, RoleName},
    path_rules::PathRules,
};

/// A role as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name: the file's name without `.md`.
    pub name: RoleName,
    /// What it does, one line.
    pub description: String,
    /// The agent that plays it; the project's default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// The model in place of the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it may write wherever it works; a stage narrows it further.
    #[serde(default)]
    pub paths: PathRules,
    /// Longest run, where the stage sets none.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_limit: Option<Duration>,
    /// The template of its brief.
    pub template: String,
}
