//! `[[project]]`, and what a project comes to when everything that is left out has been filled in.

use std::collections::BTreeMap;

use domain::{
    definition::Role,
    name::{AgentName, DefinitionName, GateName, ProjectKey, RoleName},
    revision::BranchName,
};
use ports::MergeStrategy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ForgeSettings, GateSettings, TrackerSettings};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectTable {
    /// Its key, the prefix of its work items: `ET` makes `ET-001`.
    #[schemars(with = "String")]
    pub key: ProjectKey,
    /// Its name. Default: its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its repository: a path, relative to this file, or a URL.
    pub repo: String,
    /// The branch that work is for. Default: the branch that the repository has checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub default_branch: Option<BranchName>,
    /// The pipeline definition. Default: the one at the top of this file, else `solo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub definition: Option<DefinitionName>,
    /// The agent of every role that names none. Default: the one at the top of this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub agent: Option<AgentName>,
    /// Whether approvals ask a person. `false` leaves them out. Default: the one at the top of this file, else true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_gates: Option<bool>,
    /// How finished work gets onto the default branch. Default: the one at the top of this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeSettings>,
    /// The commands of gates, by the gate's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, GateSettings>")]
    pub gates: BTreeMap<GateName, GateSettings>,
    /// Who plays which role. A role that is not here is played as at the top of this file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, RoleSettings>")]
    pub roles: BTreeMap<RoleName, RoleSettings>,
    /// Where pull requests are opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forge: Option<ForgeSettings>,
    /// Where work items come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker: Option<TrackerSettings>,
}

/// Who plays a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoleSettings {
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub agent: Option<AgentName>,
    /// The model in place of the agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// How finished work gets onto the default branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MergeSettings {
    /// What is done with a branch whose target has moved.
    pub strategy: MergeChoice,
}

/// The merge strategies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MergeChoice {
    /// Its commits are replayed on the target.
    #[default]
    Rebase,
    /// The target is merged into it.
    Merge,
}

impl From<MergeChoice> for MergeStrategy {
    fn from(choice: MergeChoice) -> Self {
        match choice {
            MergeChoice::Rebase => Self::Rebase,
            MergeChoice::Merge => Self::Merge,
        }
    }
}

/// A project with nothing left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSettings {
    /// Its key.
    pub key: ProjectKey,
    /// Its name.
    pub name: String,
    /// Its repository: an absolute path where the configuration has one, or a URL.
    pub repository: String,
    /// The branch that work is for; `None` is the branch that the repository has checked out.
    pub default_branch: Option<BranchName>,
    /// The pipeline definition.
    pub definition: DefinitionName,
    /// The agent of every role that names none.
    pub agent: Option<AgentName>,
    /// Whether approvals ask a person.
    pub human_gates: bool,
    /// What is done with a branch whose target has moved.
    pub merge_strategy: MergeStrategy,
    /// The commands of gates.
    pub gates: BTreeMap<GateName, GateSettings>,
    /// Who plays which role.
    pub roles: BTreeMap<RoleName, RoleSettings>,
}

impl ProjectSettings {
    /// The agent that plays `role`: the project's word, then the role's own, then the project's default.
    #[must_use]
    pub fn agent_for<'a>(&'a self, role: &'a Role) -> Option<&'a AgentName> {
        let ours = self.roles.get(&role.name).and_then(|it| it.agent.as_ref());
        ours.or(role.agent.as_ref()).or(self.agent.as_ref())
    }

    /// The model that plays `role` in place of the agent's: the project's word, then the role's own.
    #[must_use]
    pub fn model_for<'a>(&'a self, role: &'a Role) -> Option<&'a str> {
        let ours = self.roles.get(&role.name).and_then(|it| it.model.as_deref());
        ours.or(role.model.as_deref())
    }

    /// The same project with `run` as the command of its gate `tests`: `--check "make test"`.
    #[must_use]
    pub fn with_check(mut self, run: &str) -> Self {
        let tests = GateName::new("tests").expect("`tests` is a name");
        self.gates.entry(tests).or_default().run = Some(run.to_owned());
        self
    }
}
