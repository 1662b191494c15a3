//! An engine as the product has it, on a data directory of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use config::{definition, roles::RoleBook};
use domain::{
    definition::{Definition, Known},
    name::{AgentName, ProjectKey},
};
use engine::{AgentSetup, Engine, Options, Ports, ProjectSettings, Tenancy};
use git::MirrorGit;
use ports::{
    AgentProfile, Caps, GateAnswer, GateError, GateQuestion, Gates, MergeStrategy, ProjectRef,
    Sandbox,
};
use store_sqlite::{Mode, SqliteStore};

use crate::{
    stamp,
    system::{NotifyWakeup, RoomyMachine, SystemClock, SystemEntropy, SystemFiles},
};

/// The project that everything is about.
pub(crate) const PROJECT: &str = "BE";

/// Longest call of git.
const GIT_TIME_LIMIT: Duration = Duration::from_mins(5);

/// An engine, and what a benchmark needs to see of it.
pub(crate) struct Workshop {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) git: Arc<MirrorGit>,
}

impl Workshop {
    /// An engine whose agent is this program, printing its stamp.
    pub(crate) fn new(data_dir: &Utf8Path, sandbox: Arc<dyn Sandbox>) -> Result<Self> {
        let (store, git) = (Arc::new(store(data_dir)?), Arc::new(mirror_git(data_dir)?));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            wakeup: Arc::new(NotifyWakeup::default()),
            git: Arc::clone(&git) as _,
            sandbox,
            gates: Arc::new(NoGates),
            briefs: Arc::new(RoleBook::built_in()),
            files: Arc::new(SystemFiles),
            machine: Arc::new(RoomyMachine),
        };
        let program = program()?;
        let options = Options {
            owner: "benches".to_owned(),
            tenancy: Tenancy::Alone,
            data_dir: data_dir.to_owned(),
            caps: no_caps(),
            agents: BTreeMap::from([(agent_name()?, stamping_agent(&program)?)]),
            destinations: BTreeMap::new(),
            projects: BTreeMap::new(),
            default_project: ProjectSettings {
                roles: BTreeMap::new(),
                agent: agent_name()?,
                merge_strategy: MergeStrategy::Merge,
            },
            path: search_path(),
            env: BTreeMap::new(),
            mounts: Vec::new(),
            gatewright: program,
            login_home: None,
        };
        Ok(Self { engine: Engine::new(ports, options), store, git })
    }
}

/// A store on the disk.
pub(crate) fn store(data_dir: &Utf8Path) -> Result<SqliteStore> {
    let mode = Mode::ReadWrite { holder: "benches".to_owned() };
    let options = store_sqlite::Options { data_dir: data_dir.to_owned(), mode, queue_max: 4_096 };
    Ok(SqliteStore::open(options)?)
}

/// Git on a data directory.
pub(crate) fn mirror_git(data_dir: &Utf8Path) -> Result<MirrorGit> {
    Ok(MirrorGit::new(git::Options {
        data_dir: data_dir.to_owned(),
        git: git::find_git(&search_path())?,
        author_name: "Gatewright".to_owned(),
        author_email: "gatewright@localhost".to_owned(),
        time_limit: GIT_TIME_LIMIT,
    }))
}

/// The project in a repository.
pub(crate) fn project(repository: &Utf8Path) -> Result<ProjectRef> {
    Ok(ProjectRef { key: ProjectKey::new(PROJECT)?, repository: repository.to_string() })
}

/// A definition from its text, with the built-in roles.
pub(crate) fn parse_definition(text: &str) -> Result<Definition> {
    let roles = RoleBook::built_in().names();
    Ok(definition::parse(text, "benches.toml", &Known { roles: &roles })?)
}

/// As much at once as there is.
pub(crate) const fn no_caps() -> Caps {
    Caps { total: u32::MAX, per_project: None, per_agent: BTreeMap::new() }
}

/// This program.
pub(crate) fn program() -> Result<Utf8PathBuf> {
    let program = env::current_exe()?;
    Utf8PathBuf::from_path_buf(program).ok().context("the path of this program is not UTF-8")
}

/// Where programs are.
pub(crate) fn search_path() -> String {
    env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

fn agent_name() -> Result<AgentName> {
    Ok(AgentName::new("stamp")?)
}

fn stamping_agent(program: &Utf8Path) -> Result<AgentSetup> {
    let profile = AgentProfile {
        name: agent_name()?,
        command: Some(vec![program.to_string(), stamp::ARGUMENT.to_owned()]),
        model: None,
        effort: None,
        args: Vec::new(),
        env: BTreeMap::new(),
        secrets: BTreeSet::new(),
        max_turns: None,
        lend_login: false,
    };
    let kind = agents::find("command").context("there are no agents of kind `command`")?;
    Ok(AgentSetup {
        profile,
        kind,
        time_limit: None,
        stall_limit: None,
        supervision: domain::supervision::Limits::default(),
    })
}

/// Nothing that is measured asks a program whether it passes.
struct NoGates;

#[async_trait]
impl Gates for NoGates {
    async fn judge(&self, question: &GateQuestion) -> Result<GateAnswer, GateError> {
        let gate = question.gate.name.to_string();
        Err(GateError { gate, reason: "there are no gates here".to_owned(), is_full_disk: false })
    }

    async fn abandon(&self, _scratch: &Utf8Path) -> Result<(), GateError> {
        Ok(())
    }
}
