//! The top of `gatewright.toml`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use domain::{
    name::{AgentName, DefinitionName, DestinationName, GateName, ProjectKey, RoleName},
    revision::BranchName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AgentSettings, DestinationSettings, GateSettings, LimitSettings, MergeSettings, ProjectTable,
    ProviderSettings, RoleSettings, SandboxSettings, ServerSettings,
};

/// The configuration of Gatewright. In a repository without `[[project]]` tables, `key`, `name`, `default_branch`
/// and `[gates]` describe that repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "gatewright.toml")]
pub struct Config {
    /// Where everything is kept. Relative to this file. Default: `gatewright` in your data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub data_dir: Option<Utf8PathBuf>,
    /// `sqlite`, which needs nothing. Default: `sqlite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The key of this repository as a project, the prefix of its work items. Default: made from its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub key: Option<ProjectKey>,
    /// The name of this repository as a project. Default: the name of its directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The branch that work in this repository is for. Default: the branch that is checked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub default_branch: Option<BranchName>,
    /// The pipeline definition of projects that name none. Default: `solo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub definition: Option<DefinitionName>,
    /// The agent of every role that names none: a name from `[agents]`, or a kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub agent: Option<AgentName>,
    /// Whether approvals ask a person. `false` leaves them out. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human_gates: Option<bool>,
    /// How finished work gets onto the default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeSettings>,
    /// The commands of this repository's gates, by the gate's name: `tests = { run = "make test" }`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, GateSettings>")]
    pub gates: BTreeMap<GateName, GateSettings>,
    /// Who plays which role: `developer = { agent = "claude" }`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, RoleSettings>")]
    pub roles: BTreeMap<RoleName, RoleSettings>,
    /// How the server is reached.
    pub server: ServerSettings,
    /// How much may happen at once.
    pub limits: LimitSettings,
    /// Where agents and gate commands run, and what they see there.
    pub sandbox: SandboxSettings,
    /// The coding agents, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, AgentSettings>")]
    pub agents: BTreeMap<AgentName, AgentSettings>,
    /// Who is told what happens, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, DestinationSettings>")]
    pub destinations: BTreeMap<DestinationName, DestinationSettings>,
    /// Model providers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<String, ProviderSettings>,
    /// The projects of a server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub project: Vec<ProjectTable>,
}

impl Config {
    /// The agent of that name: a configured one, or a kind by its own name.
    #[must_use]
    pub fn find_agent(&self, name: &AgentName) -> Option<AgentSettings> {
        let by_kind = || name.as_str().parse().ok().map(AgentSettings::of_kind);
        self.agents.get(name).cloned().or_else(by_kind)
    }
}
