//! `[agents.NAME]`

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use domain::{name::AgentName, supervision};
use ports::AgentProfile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::TimeText;

/// A coding agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// Which program it is and how it is driven.
    pub kind: AgentKind,
    /// The program and its first arguments. Default: the kind's own program, looked up in `PATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The model. Default: the program's own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Reasoning effort, where the kind knows such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// Further arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables for this agent alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Names of secrets that become environment variables of the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_from: Vec<String>,
    /// Longest run. A stage or role that sets its own wins. Default: 30m.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<TimeText>")]
    pub time_limit: Option<Duration>,
    /// Longest silence. A stage that sets its own wins. Default: 5m.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<TimeText>")]
    pub stall_limit: Option<Duration>,
    /// Tool calls in a row of which next to none asks or brings anything new, before the run is stopped as a loop; 0
    /// never. Default: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_limit: Option<u32>,
    /// Equal errors in a row, nothing going well in between, before the run is stopped; 0 never. Default: 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_limit: Option<u32>,
    /// How long a busy agent may do nothing new; longer than its time limit never stops it. Default: 45m.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<TimeText>")]
    pub progress_limit: Option<Duration>,
    /// Most turns of one run, where the kind knows such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<NonZeroU32>,
    /// Lets the agent read its own login from your home directory. Whatever it runs can then read it too.
    #[serde(default)]
    pub lend_login: bool,
}

/// The kinds of agents.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(extend("x-planned" = ["opencode", "gemini", "qwen", "acp"]))]
pub enum AgentKind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Any program: the brief is its standard input, commits are its answer.
    Command,
    /// Built in: plays a scenario, for trials and tests.
    Scripted,
}

/// A secret that `env_from` names and nobody has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("agent `{agent}` wants the secret `{secret}`, which is not set")]
pub struct SecretMissing {
    /// The agent.
    pub agent: AgentName,
    /// The secret.
    pub secret: String,
}

impl AgentSettings {
    /// An agent of which only the kind is known: `--agent claude` without a configuration.
    #[must_use]
    pub const fn of_kind(kind: AgentKind) -> Self {
        Self {
            kind,
            command: None,
            model: None,
            effort: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            env_from: Vec::new(),
            time_limit: None,
            stall_limit: None,
            repeat_limit: None,
            error_limit: None,
            progress_limit: None,
            max_turns: None,
            lend_login: false,
        }
    }

    /// When what it does is an alarm.
    #[must_use]
    pub fn supervision(&self) -> supervision::Limits {
        let defaults = supervision::Limits::default();
        supervision::Limits {
            repeats: self.repeat_limit.unwrap_or(defaults.repeats),
            errors: self.error_limit.unwrap_or(defaults.errors),
            progress: self.progress_limit.unwrap_or(defaults.progress),
        }
    }

    /// The agent as it is started, with the secrets that it asks for.
    pub fn profile(
        &self,
        name: &AgentName,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<AgentProfile, SecretMissing> {
        let mut env = self.env.clone();
        for wanted in &self.env_from {
            let missing = || SecretMissing { agent: name.clone(), secret: wanted.clone() };
            env.insert(wanted.clone(), secret(wanted).ok_or_else(missing)?);
        }
        Ok(AgentProfile {
            name: name.clone(),
            command: self.command.clone(),
            model: self.model.clone(),
            effort: self.effort.clone(),
            args: self.args.clone(),
            env,
            secrets: self.env_from.iter().cloned().collect(),
            max_turns: self.max_turns.map(NonZeroU32::get),
            lend_login: self.lend_login,
        })
    }
}
