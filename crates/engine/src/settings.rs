//! What the engine is given at its start.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::Utf8PathBuf;
use domain::{
    breaker::BreakerKey,
    name::{AgentName, DestinationName, ProjectKey, RoleName},
    outbox::Route,
    path_rules::PathRules,
    supervision,
};
use ports::{
    Agent, AgentProfile, Briefs, Caps, Clock, Destination, Entropy, Files, Gates, Git, Machine,
    MergeStrategy, Mount, Sandbox, Store, Wakeup,
};

/// The world.
#[derive(Clone)]
pub struct Ports {
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Wake-ups.
    pub wakeup: Arc<dyn Wakeup>,
    /// Repositories.
    pub git: Arc<dyn Git>,
    /// Where agents run.
    pub sandbox: Arc<dyn Sandbox>,
    /// Who judges.
    pub gates: Arc<dyn Gates>,
    /// The words for agents.
    pub briefs: Arc<dyn Briefs>,
    /// Files of our own.
    pub files: Arc<dyn Files>,
    /// What everything runs on.
    pub machine: Arc<dyn Machine>,
}

/// An agent that can be started.
#[derive(Clone)]
pub struct AgentSetup {
    /// How it is configured.
    pub profile: AgentProfile,
    /// What kind it is.
    pub kind: Arc<dyn Agent>,
    /// Longest run, where neither stage nor role sets one.
    pub time_limit: Option<Duration>,
    /// Longest silence, where the stage sets none.
    pub stall_limit: Option<Duration>,
    /// When what it does is an alarm.
    pub supervision: supervision::Limits,
}

impl AgentSetup {
    /// The breaker that says whether it may be started.
    #[must_use]
    pub fn breaker(&self) -> Option<BreakerKey> {
        let (kind, provider) = (self.kind.kind(), self.kind.provider(&self.profile));
        BreakerKey::new(format!("{kind}@{provider}")).ok()
    }
}

/// What a project's settings say about a role.
#[derive(Clone, Debug, Default)]
pub struct RoleSettings {
    /// The agent that plays it.
    pub agent: Option<AgentName>,
    /// The model in place of the agent's.
    pub model: Option<String>,
    /// What it may write wherever it works.
    pub paths: PathRules,
    /// Longest run, where the stage sets none.
    pub time_limit: Option<Duration>,
}

/// A destination of letters.
#[derive(Clone)]
pub struct DestinationSetup {
    /// What it wants to hear. A letter is written for it whether it can be reached or not.
    pub route: Route,
    /// How it is reached.
    pub port: Arc<dyn Destination>,
}

/// What is settled for a project.
#[derive(Clone, Debug)]
pub struct ProjectSettings {
    /// Its roles.
    pub roles: BTreeMap<RoleName, RoleSettings>,
    /// The agent of roles that name none.
    pub agent: AgentName,
    /// How branches get onto a target that moved.
    pub merge_strategy: MergeStrategy,
}

/// Who else may work on the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Nobody, which a lock proves: whoever else holds a lease is dead.
    Alone,
    /// Others: a lease that has not ended is somebody's.
    Shared,
}

/// What the engine is given at its start.
#[derive(Clone)]
pub struct Options {
    /// This process, unique for its life: leases carry it.
    pub owner: String,
    /// Who else may work on the store.
    pub tenancy: Tenancy,
    /// The data directory, absolute.
    pub data_dir: Utf8PathBuf,
    /// How much may run at once.
    pub caps: Caps,
    /// All agents, by name.
    pub agents: BTreeMap<AgentName, AgentSetup>,
    /// All destinations of letters, by name.
    pub destinations: BTreeMap<DestinationName, DestinationSetup>,
    /// Projects with settings of their own.
    pub projects: BTreeMap<ProjectKey, ProjectSettings>,
    /// What holds for all others.
    pub default_project: ProjectSettings,
    /// Where programs are looked up inside sandboxes.
    pub path: String,
    /// Environment that every agent gets besides.
    pub env: BTreeMap<String, String>,
    /// Places that every sandbox sees besides, read-only.
    pub mounts: Vec<Mount>,
    /// Our own binary, for agents that are built in.
    pub gatewright: Utf8PathBuf,
    /// The home directory that lent logins come from.
    pub login_home: Option<Utf8PathBuf>,
}

impl Options {
    /// The settings of a project.
    #[must_use]
    pub fn project(&self, key: &ProjectKey) -> &ProjectSettings {
        self.projects.get(key).unwrap_or(&self.default_project)
    }

    /// Which breaker guards which agent.
    #[must_use]
    pub fn guards(&self) -> BTreeMap<AgentName, BreakerKey> {
        let guard =
            |(name, setup): (&AgentName, &AgentSetup)| Some((name.clone(), setup.breaker()?));
        self.agents.iter().filter_map(guard).collect()
    }
}
