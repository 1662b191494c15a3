//! Writes the first `gatewright.toml` of a repository: commented, and working as it stands.

use std::fmt::Write as _;

use domain::{name::ProjectKey, revision::BranchName};

use crate::{detect::TestCommand, settings::AgentKind};

/// What `init` has found out.
#[derive(Clone, Debug)]
pub struct InitAnswers {
    /// The project's key.
    pub key: ProjectKey,
    /// The project's name.
    pub name: String,
    /// The branch that work is for, where it is known.
    pub default_branch: Option<BranchName>,
    /// How the repository is tested, where that was found.
    pub test_command: Option<TestCommand>,
    /// Agents whose programs are in `PATH`, the preferred one first.
    pub agents: Vec<InitAgent>,
    /// Places to read in sandboxes: `~/.cargo`.
    pub read: Vec<String>,
}

/// An agent that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitAgent {
    /// Its kind; also what it is called in the file.
    pub kind: AgentKind,
    /// The environment variable with its key, where that is set.
    pub key_variable: Option<String>,
    /// It is logged in on this machine by itself.
    pub has_login: bool,
}

/// The text of `gatewright.toml`.
#[must_use]
pub fn render(answers: &InitAnswers) -> String {
    let mut text = String::new();
    let sections =
        [head(answers), gates(answers), sandbox(answers), agents(answers), destinations()];
    for (position, section) in sections.into_iter().enumerate() {
        write!(text, "{}{section}", if position == 0 { "" } else { "\n" })
            .expect("writing to a string");
    }
    text
}

fn head(answers: &InitAnswers) -> String {
    let InitAnswers { key, name, default_branch, agents, .. } = answers;
    let branch = match default_branch {
        Some(branch) => format!("default_branch = {}", quoted(branch.as_str())),
        None => "# default_branch = \"main\"".to_owned(),
    };
    let agent = match agents.first() {
        Some(agent) => format!("agent = {}", quoted(&agent.kind.to_string())),
        None => "# agent = \"claude\"".to_owned(),
    };
    format!(
        "# Gatewright's settings for this repository. `gatewright config schema` describes every key,\n\
         # `gatewright config show` says which values hold and why. Agents cannot change this file.\n\
         \n\
         # Work items are called {key}-001, {key}-002, and so on.\n\
         key = {}\n\
         name = {}\n\
         \n\
         # The branch that work is for.\n\
         {branch}\n\
         \n\
         # How work is done: `solo`, `sdlc` or `delivery`, or a file of yours in .gatewright/pipelines/.\n\
         definition = \"solo\"\n\
         \n\
         # Who does it: an agent from below.\n\
         {agent}\n",
        quoted(key.as_str()),
        quoted(name),
    )
}

fn gates(answers: &InitAnswers) -> String {
    let command = match &answers.test_command {
        Some(TestCommand { run, why }) => {
            format!("# Found: {}.\ntests = {{ run = {}, time_limit = \"10m\" }}\n", why.replace('\n', " "), quoted(run))
        }
        None => "# Nothing was found that tests this repository: put its command here, or give it to `run` with --check.\n\
                 # tests = { run = \"make test\", time_limit = \"10m\" }\n"
            .to_owned(),
    };
    format!(
        "# What has to exit 0 on a clean checkout before work counts as done.\n[gates]\n{command}"
    )
}

fn sandbox(answers: &InitAnswers) -> String {
    let read = answers.read.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(", ");
    format!(
        "# Where agents and tests run. `auto` is the strongest isolation that this machine has.\n\
         [sandbox]\n\
         backend = \"auto\"\n\
         # Places in your home directory that can be read there: toolchains. Nothing else of it can be seen.\n\
         read = [{read}]\n"
    )
}

fn destinations() -> String {
    "# Who is told what happens: questions to people, and how work ended. `gatewright outbox` shows what was sent.\n\
     # [destinations.log]\n\
     # kind = \"file\"                 # one line of JSON an event\n\
     # path = \"~/gatewright-events.jsonl\"\n\
     # [destinations.chat]\n\
     # kind = \"command\"              # the event is its standard input, exit code 0 means delivered\n\
     # command = [\"./notify.sh\"]\n"
        .to_owned()
}

fn agents(answers: &InitAnswers) -> String {
    if answers.agents.is_empty() {
        return "# No coding agent was found in PATH. `gatewright doctor` says how to install one; any program will do:\n\
                # [agents.mine]\n\
                # kind = \"command\"\n\
                # command = [\"./agent.sh\"]    # the brief is its standard input, its commits are its answer\n"
            .to_owned();
    }
    answers.agents.iter().map(agent).collect::<Vec<_>>().join("\n")
}

fn agent(agent: &InitAgent) -> String {
    let InitAgent { kind, key_variable, has_login } = agent;
    let (program, usual_variable) = match kind {
        AgentKind::Claude => ("Claude Code", "ANTHROPIC_API_KEY"),
        AgentKind::Codex => ("Codex", "OPENAI_API_KEY"),
        AgentKind::Command | AgentKind::Scripted => ("A program of your own", "API_KEY"),
    };
    let key = match key_variable {
        Some(variable) => format!("env_from = [{}]", quoted(variable)),
        None => format!("# env_from = [\"{usual_variable}\"]"),
    };
    // Without a key, its own login is the only way in.
    let login = if *has_login && key_variable.is_none() {
        "lend_login = true"
    } else {
        "# lend_login = true"
    };
    format!(
        "# {program}, found in PATH.\n\
         [agents.{kind}]\n\
         kind = \"{kind}\"\n\
         # model = \"…\"                 # default: its own choice\n\
         # How it logs in: a key from your environment, or its own login, lent read-only. Whatever the agent\n\
         # runs can read either of them.\n\
         {key}\n\
         {login}\n"
    )
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
