//! Coding agents: how to start one, how to read one.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    name::AgentName,
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};

use crate::ExitRecord;

/// What is configured for an agent, secrets resolved: `[agents.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProfile {
    /// Its name in the configuration.
    pub name: AgentName,
    /// The program and leading arguments, where they are not the kind's own.
    pub command: Option<Vec<String>>,
    /// The model.
    pub model: Option<String>,
    /// Reasoning effort, where the kind knows such a thing.
    pub effort: Option<String>,
    /// Further arguments.
    pub args: Vec<String>,
    /// Environment for it alone: keys, base URLs.
    pub env: BTreeMap<String, String>,
    /// Names in `env` whose values are secrets and no settings: nobody repeats them, wherever the agent has written them.
    pub secrets: BTreeSet<String>,
    /// Most turns, where the kind knows such a thing.
    pub max_turns: Option<u32>,
    /// The agent's own login may be seen inside, read-only.
    pub lend_login: bool,
}

/// What a launch depends on.
#[derive(Clone, Debug)]
pub struct LaunchContext<'a> {
    /// The configured agent.
    pub profile: &'a AgentProfile,
    /// The model that the role asks for in place of the agent's.
    pub model: Option<&'a str>,
    /// The brief, a file that is seen inside at the same path.
    pub brief: &'a Utf8Path,
    /// The brief's text.
    pub brief_text: &'a str,
    /// The workspace, and the working directory.
    pub workspace: &'a Utf8Path,
    /// The agent's private home, kept between runs of the same role in the same pipeline.
    pub home: &'a Utf8Path,
    /// The conversation to go on with, where the agent can.
    pub session: Option<&'a str>,
    /// Where programs are looked up.
    pub path: &'a str,
    /// Our own binary, for agents that are built in.
    pub gatewright: &'a Utf8Path,
}

/// A file of the user's home that an agent needs to be logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFile {
    /// Relative to the home directory, on both sides.
    pub path: Utf8PathBuf,
}

/// How to start an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchLine {
    /// Program and arguments. Never holds words of an item or a brief: those go by file or standard input.
    pub argv: Vec<String>,
    /// Environment on top of what every agent gets.
    pub env: BTreeMap<String, String>,
    /// A file that is its standard input.
    pub stdin: Option<Utf8PathBuf>,
    /// Files to write below its home before the start: settings that switch off what we do not want.
    pub home_files: Vec<(Utf8PathBuf, String)>,
    /// Host places that must be seen inside, read-only: where the program is installed.
    pub readable: Vec<Utf8PathBuf>,
    /// Login files to lend; only where the profile allows it.
    pub login: Vec<LoginFile>,
}

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCheck {
    /// The program that would be started.
    pub program: Utf8PathBuf,
    /// What it says of its version, one line.
    pub version: String,
}

/// Why an agent cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its program is not there.
    #[error("agent `{agent}`: the program `{program}` was not found in PATH")]
    Missing {
        /// The agent.
        agent: AgentName,
        /// The program.
        program: String,
        /// The command that installs it.
        install: Option<String>,
    },
    /// Its settings make no sense.
    #[error("agent `{agent}`: {reason}")]
    Invalid {
        /// The agent.
        agent: AgentName,
        /// What is wrong with which value.
        reason: String,
    },
    /// Its program does not answer.
    #[error("agent `{agent}`: `{program}` does not work: {reason}")]
    Broken {
        /// The agent.
        agent: AgentName,
        /// The program.
        program: String,
        /// What it said, or how long it did not.
        reason: String,
    },
}

/// A kind of coding agent.
pub trait Agent: Send + Sync {
    /// `claude`, `codex`, `command`, `scripted`.
    fn kind(&self) -> &'static str;

    /// Whom it talks to as it is configured, a host in most cases: what is unwell is unwell for all who talk to it.
    fn provider(&self, profile: &AgentProfile) -> String;

    /// Whether its stream tells when a tool call begins and ends, so that a long one is not taken for a stall.
    fn reports_tool_calls(&self) -> bool;

    /// The program that would be started and how it is told to name its version; no tokens, no network.
    fn check_line(&self, profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError>;

    /// How to start it.
    fn launch_line(&self, context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError>;

    /// A reader for one run's standard output.
    fn parser(&self) -> Box<dyn StreamParser>;
}

/// Reads one run's stream. Fed with every line in order, also after a restart.
pub trait StreamParser: Send {
    /// Reads one line, without its newline, invalid UTF-8 replaced. Unknown lines give nothing and are counted.
    fn line(&mut self, line: &str) -> Vec<AgentEvent>;

    /// What the run used, as far as the stream has told.
    fn usage(&self) -> Usage;

    /// How the run ended. `stderr_tail` is a last resort for classification.
    fn end(&mut self, exit: &ExitRecord, stderr_tail: &str) -> RunOutcome;
}
