//! Puts the adapters together. The only place that knows them all.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use config::{
    AgentSettings, DestinationKind, DestinationSettings, Loaded, ProjectSettings, SandboxChoice,
    roles::RoleBook,
};
use domain::{
    definition::Network,
    name::{AgentName, DestinationName, RoleName},
};
use engine::{AgentSetup, DestinationSetup, Engine, Options, Ports, RoleSettings, Tenancy};
use git::MirrorGit;
use integrations::{CommandDestination, CommandOptions, FileDestination, UnreachableDestination};
use ports::{Caps, Destination, Mount, Sandbox};
use sandbox::{Backend, Selection};
use store_sqlite::SqliteStore;

use crate::{
    context::{Context, check_outside},
    error::CliError,
    system::{NotifyWakeup, SystemClock, SystemEntropy, SystemFiles, ThisMachine},
};

/// Longest that one git call may take.
const GIT_TIME_LIMIT: Duration = Duration::from_mins(5);

/// Longest that a mirror may take as a whole: the history of a large repository, on a slow disk.
const MIRROR_TIME_LIMIT: Duration = Duration::from_hours(2);

/// Everything that is needed to work.
pub(crate) struct Workbench {
    pub(crate) engine: Arc<Engine>,
    pub(crate) gates: Arc<gates::Judge>,
    pub(crate) selection: Selection,
}

/// What a workbench is made for.
pub(crate) struct Setup<'a> {
    pub(crate) context: &'a Context,
    pub(crate) loaded: &'a Loaded,
    pub(crate) data_dir: &'a Utf8Path,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) git: Arc<MirrorGit>,
    pub(crate) project: &'a ProjectSettings,
    pub(crate) roles: RoleBook,
    /// The agent of every role, in place of what is configured.
    pub(crate) agent: Option<AgentName>,
}

/// Git on this data directory.
pub(crate) async fn git(
    context: &Context,
    data_dir: &Utf8Path,
) -> Result<Arc<MirrorGit>, CliError> {
    Ok(Arc::new(mirror_git(context, data_dir, GIT_TIME_LIMIT).await?))
}

/// The same for whole mirrors at once.
pub(crate) async fn patient_git(
    context: &Context,
    data_dir: &Utf8Path,
) -> Result<MirrorGit, CliError> {
    mirror_git(context, data_dir, MIRROR_TIME_LIMIT).await
}

async fn mirror_git(
    context: &Context,
    data_dir: &Utf8Path,
    time_limit: Duration,
) -> Result<MirrorGit, CliError> {
    Ok(MirrorGit::new(git::Options {
        data_dir: data_dir.to_owned(),
        git: git_binary(context).await?,
        author_name: "Gatewright".to_owned(),
        author_email: "gatewright@localhost".to_owned(),
        time_limit,
    }))
}

async fn git_binary(context: &Context) -> Result<Utf8PathBuf, CliError> {
    let missing =
        "install git 2.40 or newer: apt-get install git, or your system's package manager";
    let binary =
        git::find_git(&context.path).map_err(|error| CliError::from(error).or_help(missing))?;
    git::version(&binary).await.map_err(|error| CliError::from(error).or_help(missing))?;
    Ok(binary)
}

/// The sandbox backend that is configured, proven to work. To go without a wall is nobody's guess: it has to be said by name.
pub(crate) async fn sandbox(
    context: &Context,
    loaded: &Loaded,
) -> Result<(Arc<dyn Sandbox>, Selection), CliError> {
    let backend = match loaded.config.sandbox.backend {
        SandboxChoice::Process => Backend::Process,
        SandboxChoice::Auto | SandboxChoice::Bubblewrap => Backend::Bubblewrap,
    };
    let selected = sandbox::select(backend, sandbox_options(context)).await;
    selected.map_err(|error| {
        CliError::from(error)
            .help(format!(
                "`{} doctor` says more; for agents that you trust like yourself, `backend = \"process\"` in [sandbox] goes without a wall",
                crate::called::gatewright()
            ))
    })
}

/// How the shim is started: by ourselves.
pub(crate) fn sandbox_options(context: &Context) -> sandbox::Options {
    sandbox::Options {
        shim: vec![context.program.to_string(), "shim".to_owned()],
        bubblewrap: None,
    }
}

/// Places that every sandbox sees besides, read-only: those that are configured and exist.
fn mounts(loaded: &Loaded) -> Vec<Mount> {
    let there = loaded.config.sandbox.read.iter().filter(|path| path.exists());
    there.map(|path| Mount { from: path.clone(), to: path.clone(), writable: false }).collect()
}

/// The agents that can be named: all that are configured, and each kind under its own name.
fn agents(
    context: &Context,
    loaded: &Loaded,
    needed: &[AgentName],
) -> Result<BTreeMap<AgentName, AgentSetup>, CliError> {
    let kinds = agents::KINDS.iter().filter_map(|kind| AgentName::new(*kind).ok());
    let names = loaded.config.agents.keys().cloned().chain(kinds).chain(needed.iter().cloned());
    let mut setups = BTreeMap::new();
    for name in names {
        let Some(settings) = loaded.config.find_agent(&name) else {
            let known: Vec<String> = loaded.config.agents.keys().map(ToString::to_string).collect();
            let configured = if known.is_empty() {
                "none is configured".to_owned()
            } else {
                format!("configured: {}", known.join(", "))
            };
            return Err(CliError::usage(format!("there is no agent `{name}`; {configured}")).help(
                format!(
                    "add [agents.{name}] to gatewright.toml, or use a kind: {}",
                    agents::KINDS.join(", ")
                ),
            ));
        };
        match setup(context, &name, &settings) {
            Ok(setup) => {
                setups.insert(name, setup);
            }
            // What nobody needs may lack its secrets.
            Err(error) if needed.contains(&name) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(setups)
}

/// Whether an agent could be started by what is configured.
pub(crate) fn check_agent(
    context: &Context,
    loaded: &Loaded,
    name: &AgentName,
) -> Result<(), CliError> {
    agents(context, loaded, std::slice::from_ref(name)).map(drop)
}

fn setup(
    context: &Context,
    name: &AgentName,
    settings: &AgentSettings,
) -> Result<AgentSetup, CliError> {
    let profile = settings.profile(name, |secret| context.secret(secret));
    let profile = profile.map_err(|error| {
        let help = format!("set it in the environment: export {}=…", error.secret);
        CliError::new(error.to_string()).help(help)
    })?;
    let kind = agents::find(&settings.kind.to_string());
    let kind = kind.ok_or_else(|| {
        CliError::usage(format!(
            "agents of kind `{}` are not available in this version",
            settings.kind
        ))
    })?;
    Ok(AgentSetup {
        profile,
        kind,
        time_limit: settings.time_limit,
        stall_limit: settings.stall_limit,
        supervision: settings.supervision(),
    })
}

/// Who plays which role, as the engine wants to know it.
fn project_settings(
    project: &ProjectSettings,
    roles: &RoleBook,
    agent: Option<&AgentName>,
) -> engine::ProjectSettings {
    let settings = |name: &RoleName| {
        let role = roles.find(name)?;
        let settings = RoleSettings {
            agent: agent.or_else(|| project.agent_for(role)).cloned(),
            model: project.model_for(role).map(str::to_owned),
            paths: role.paths.clone(),
            time_limit: role.time_limit,
        };
        Some((name.clone(), settings))
    };
    let nobody = || AgentName::new("claude").expect("a kind is a name");
    engine::ProjectSettings {
        roles: roles.names().iter().filter_map(settings).collect(),
        agent: agent.or(project.agent.as_ref()).cloned().unwrap_or_else(nobody),
        merge_strategy: project.merge_strategy,
    }
}

/// Puts everything together for one project.
pub(crate) async fn workbench(
    setup: Setup<'_>,
    needed: &[AgentName],
) -> Result<Workbench, CliError> {
    let (sandbox, selection) = sandbox(setup.context, setup.loaded).await?;
    let agents = agents(setup.context, setup.loaded, needed)?;
    Ok(build(setup, sandbox, selection, agents))
}

/// The same for agents that are our own: they work without a wall where there is none.
pub(crate) async fn workbench_for_our_own(
    setup: Setup<'_>,
    needed: &[AgentName],
) -> Result<Workbench, CliError> {
    let (sandbox, selection) =
        sandbox::select(Backend::Auto, sandbox_options(setup.context)).await?;
    let agents = agents(setup.context, setup.loaded, needed)?;
    Ok(build(setup, sandbox, selection, agents))
}

fn build(
    setup: Setup<'_>,
    sandbox: Arc<dyn Sandbox>,
    selection: Selection,
    agents: BTreeMap<AgentName, AgentSetup>,
) -> Workbench {
    let Setup { context, loaded, data_dir, store, git, project, roles, agent } = setup;
    let clock = Arc::new(SystemClock::default());
    let path = loaded.config.sandbox.path.clone().unwrap_or_else(|| context.path.clone());
    let gates = Arc::new(gates::Judge::new(gates::Options {
        git: Arc::clone(&git) as _,
        sandbox: Arc::clone(&sandbox),
        clock: Arc::clone(&clock) as _,
        // One of its own: a look of the engine at the same moment must not cost a gate its answer.
        machine: Arc::new(ThisMachine::new()),
        path: path.clone(),
        env: loaded.config.sandbox.env.clone(),
        mounts: mounts(loaded),
        network: Network::None,
    }));
    let default_project = project_settings(project, &roles, agent.as_ref());
    let ports = (context.seam)(Ports {
        store,
        clock,
        entropy: Arc::new(SystemEntropy),
        wakeup: Arc::new(NotifyWakeup::default()),
        git,
        sandbox,
        gates: Arc::clone(&gates) as _,
        briefs: Arc::new(roles),
        files: Arc::new(SystemFiles),
        machine: Arc::new(ThisMachine::new()),
    });
    let entropy = ports.entropy.bytes();
    let options = Options {
        // Never used again: a process that is gone must not be taken for this one.
        owner: format!("{}-{:032x}", std::process::id(), u128::from_le_bytes(entropy)),
        // The store was opened for writing, and its lock is ours alone.
        tenancy: Tenancy::Alone,
        data_dir: data_dir.to_owned(),
        caps: caps(loaded, &agents),
        agents,
        destinations: destinations(context, loaded),
        projects: BTreeMap::new(),
        default_project,
        path,
        env: loaded.config.sandbox.env.clone(),
        mounts: mounts(loaded),
        gatewright: context.program.clone(),
        login_home: context.home.clone(),
    };
    Workbench { engine: Engine::new(ports, options), gates, selection }
}

/// The destinations as they can be reached. One that cannot be has its letters wait, and says why.
fn destinations(context: &Context, loaded: &Loaded) -> BTreeMap<DestinationName, DestinationSetup> {
    let setup = |(name, settings): (&DestinationName, &DestinationSettings)| {
        let port: Arc<dyn Destination> = match destination(context, loaded, settings) {
            Ok(port) => port,
            Err(why) => Arc::new(UnreachableDestination::new(why)),
        };
        (name.clone(), DestinationSetup { route: settings.route(name), port })
    };
    loaded.config.destinations.iter().map(setup).collect()
}

fn destination(
    context: &Context,
    loaded: &Loaded,
    settings: &DestinationSettings,
) -> Result<Arc<dyn Destination>, String> {
    let DestinationSettings { kind, path, command, env, env_from, .. } = settings;
    match kind {
        DestinationKind::File => {
            let path = context.absolute(path.as_ref().ok_or("it has no `path`")?);
            check_outside(&context.data_dir(loaded), &path)?;
            Ok(Arc::new(FileDestination::new(path)))
        }
        DestinationKind::Command => {
            let mut secrets = BTreeMap::new();
            for name in env_from {
                let missing = || format!("it wants the secret `{name}`, which is not set");
                secrets.insert(name.clone(), context.secret(name).ok_or_else(missing)?);
            }
            let mut command = command.clone().unwrap_or_default();
            if let Some(program) = command.first_mut().filter(|it| it.contains('/')) {
                *program = context.absolute(Utf8Path::new(program.as_str())).into_string();
            }
            Ok(Arc::new(CommandDestination::new(CommandOptions {
                command,
                usher: vec![context.program.to_string(), "usher".to_owned()],
                data_dir: context.data_dir(loaded),
                directory: context.absolute(loaded.directory()),
                path: context.path.clone(),
                env: env.clone(),
                secrets,
            })))
        }
    }
}

/// What stands in the way of a destination, as far as can be seen without sending anything.
pub(crate) fn obstacle(
    context: &Context,
    loaded: &Loaded,
    settings: &DestinationSettings,
) -> Option<String> {
    if let Err(why) = destination(context, loaded, settings) {
        return Some(why);
    }
    if let Some(path) = &settings.path {
        let path = context.absolute(path);
        let directory = path.parent().unwrap_or(&path);
        return if path.is_dir() {
            Some(format!("{path} is a directory"))
        } else if path.exists() && !path.is_file() {
            Some(format!("{path} is not a regular file"))
        } else if !directory.is_dir() {
            Some(format!("there is no directory {directory}"))
        } else {
            None
        };
    }
    let program = settings.command.iter().flatten().next()?;
    let is_there = if program.contains('/') {
        context.absolute(Utf8Path::new(program)).is_file()
    } else {
        context.path.split(':').any(|dir| Utf8Path::new(dir).join(program).is_file())
    };
    (!is_there).then(|| format!("there is no program `{program}`"))
}

fn caps(loaded: &Loaded, agents: &BTreeMap<AgentName, AgentSetup>) -> Caps {
    let limits = &loaded.config.limits;
    let each = limits.per_agent.map(std::num::NonZeroU32::get);
    Caps {
        total: limits.max_concurrency.map_or(1, std::num::NonZeroU32::get),
        per_project: limits.per_project.map(std::num::NonZeroU32::get),
        per_agent: agents.keys().filter_map(|name| Some((name.clone(), each?))).collect(),
    }
}

/// An engine that starts nothing: it brings people's inputs to pipelines, stops agents, and delivers letters.
pub(crate) async fn steering_engine(
    context: &Context,
    loaded: &Loaded,
    data_dir: &Utf8Path,
    store: Arc<SqliteStore>,
) -> Result<Arc<Engine>, CliError> {
    let git = git(context, data_dir).await?;
    let project = loaded.project_at(&context.cwd);
    let (sandbox, selection) = sandbox::select(Backend::Process, sandbox_options(context)).await?;
    let setup = Setup {
        context,
        loaded,
        data_dir,
        store,
        git,
        project: &project,
        roles: RoleBook::built_in(),
        agent: None,
    };
    Ok(build(setup, sandbox, selection, BTreeMap::new()).engine)
}

/// The directory of the mirror of a project, for people who want to look into it.
pub(crate) fn mirror(data_dir: &Utf8Path, project: &domain::name::ProjectKey) -> Utf8PathBuf {
    data_dir.join("mirrors").join(format!("{project}.git"))
}
