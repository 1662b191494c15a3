//! One stage: who works, in what surroundings, and where it leads.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::Gate;
use crate::{
    limits,
    name::{RoleName, StageName},
    path_rules::PathRules,
};

/// How the roles of a stage work together.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// One role.
    #[default]
    Single,
    /// Wave after wave, the roles of a wave in parallel.
    Waves,
}

/// What a failing role does to the others of its wave.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WaveFailure {
    /// The others are stopped.
    #[default]
    FailFast,
    /// The others end, then the stage fails.
    FinishWave,
}

/// What a stage without roles does itself.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// Checks the item's words and commits them as `00-business-request.md`.
    Intake,
    /// Merges the branch into the target under the merge lease.
    Merge,
    /// Leaves the finished branch in the repository, or merges it where the pipeline was started so.
    Deliver,
}

/// What an agent finds in its workspace.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WorkspaceAccess {
    /// An empty directory.
    None,
    /// The repository, for reading: nothing is handed in.
    Read,
    /// The repository; what it commits is handed in.
    #[default]
    Write,
}

/// What an agent can reach.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Network {
    /// Nothing.
    None,
    /// The model only. Until the gateway is there: the host's network, which is said once.
    #[default]
    ModelOnly,
    /// The hosts on the project's list. Until the gateway is there: refused at load.
    AllowList,
    /// Everything that the host reaches.
    Open,
}

/// Where an agent's commits may go.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Push {
    /// Nowhere.
    None,
    /// The pipeline's branch.
    #[default]
    OwnBranch,
}

/// What happens when a route has been taken `max` times.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Then {
    /// A person decides.
    #[default]
    Escalate,
    /// The pipeline fails.
    Fail,
}

/// Where a failed gate leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The stage that mends it.
    pub to: StageName,
    /// How often a pipeline may take this route.
    pub max: u32,
    /// What happens after that.
    pub then: Then,
}

impl Route {
    /// Back to `stage`, as often as is usual, then a person.
    #[must_use]
    pub const fn back_to(stage: StageName) -> Self {
        Self { to: stage, max: limits::ROUTE_MAX, then: Then::Escalate }
    }
}

/// One stage of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// How its roles work together.
    pub mode: Mode,
    /// The roles in waves: one wave of one role in [`Mode::Single`], none where the stage acts itself.
    pub waves: Vec<Vec<RoleName>>,
    /// What a failing role does to its wave.
    pub on_role_failure: WaveFailure,
    /// What the stage does itself; only without roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What its agents find in their workspaces.
    pub workspace: WorkspaceAccess,
    /// What its agents can reach.
    pub network: Network,
    /// Where its agents' commits may go.
    pub push: Push,
    /// What its agents may write; a role's own rules hold as well.
    pub paths: PathRules,
    /// Rules of one role in this stage, in place of `paths`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub role_paths: BTreeMap<RoleName, PathRules>,
    /// An attempt may end without a commit.
    pub may_change_nothing: bool,
    /// Longest run of one agent here.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_limit: Option<Duration>,
    /// Longest silence of one agent here.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub stall_limit: Option<Duration>,
    /// What must hold to leave it, cheapest first.
    pub gates: Vec<Gate>,
    /// Where it leads; `None` ends the pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_pass: Option<StageName>,
    /// Where a failed gate leads; `None` asks a person at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<Route>,
}

impl Stage {
    /// The roles of all waves, in order.
    pub fn roles(&self) -> impl Iterator<Item = &RoleName> {
        self.waves.iter().flatten()
    }

    /// What `role` may write in this stage, as far as the definition says.
    #[must_use]
    pub fn paths_of(&self, role: &RoleName) -> &PathRules {
        self.role_paths.get(role).unwrap_or(&self.paths)
    }

    /// Whether an agent of this stage has to leave a commit.
    #[must_use]
    pub fn must_change_something(&self) -> bool {
        self.workspace == WorkspaceAccess::Write
            && self.push == Push::OwnBranch
            && !self.may_change_nothing
    }

    /// Files that must exist at its end, as far as its gates say so.
    pub fn artifacts(&self) -> impl Iterator<Item = &String> {
        self.gates.iter().flat_map(|gate| gate.check.artifacts())
    }
}
