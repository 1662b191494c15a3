//! Everything that must be right before a pipeline is made, so that nothing half-done is left where it is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::Arc,
};

use config::{Loaded, ProjectSettings, definition, detect, roles::RoleBook};
use domain::{
    definition::{Action, Definition},
    id::PipelineId,
    item::{Item, ItemKey},
    name::{AgentName, DefinitionName, ProjectKey},
    pipeline::{Input, Pipeline, PipelineOptions},
    revision::{BranchName, CommitSha},
};
use engine::NewItem;
use git::MirrorGit;
use ports::{Git as _, ProjectRecord, ProjectRef, Store as _};
use store_sqlite::SqliteStore;

use super::{Run, own_commands};
use crate::{
    called::{self, gatewright},
    context::{Context, problems_error},
    error::CliError,
    holder::HoldingCommand,
    output,
    repository::{self, Repository},
    wiring::{self, Setup, Workbench},
    words::one_line,
};

/// Bytes of a definition or role of the target branch that are read.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Pipelines that are ready to be worked on.
pub(super) struct Prepared {
    pub(super) store: Arc<SqliteStore>,
    pub(super) bench: Workbench,
    pub(super) pipelines: Vec<PipelineId>,
}

/// What a repository and its configuration say.
struct Ground {
    loaded: Loaded,
    repository: Repository,
    project: ProjectSettings,
    git: Arc<MirrorGit>,
    data_dir: camino::Utf8PathBuf,
}

impl Run {
    /// Makes and starts a pipeline for each title.
    pub(super) async fn begin(&self, context: &Context) -> Result<Prepared, CliError> {
        let description = self.read_description()?;
        for title in &self.titles {
            drop(check_words(title, &description)?);
        }
        let mut ground = self.ground(context).await?;
        if let Some(check) = &self.check {
            ground.project = ground.project.with_check(check);
        }
        let target = self.target(&ground)?;
        let store =
            crate::context::open_for_writing(context, &ground.data_dir, HoldingCommand::Run)
                .await?;
        let project = settle_key(&store, &mut ground.project, &ground.repository).await?;
        ground.git.sync(&project).await?;
        let Some(base) = ground.git.find_target(&project, &target).await? else {
            let branches = ground.git.list_branches(&project).await?;
            let names: Vec<String> = branches.iter().take(10).map(ToString::to_string).collect();
            return Err(CliError::usage(format!(
                "the repository {} has no branch `{target}`",
                project.repository
            ))
            .help(format!("name one with --target: {}", names.join(", "))));
        };
        let files = target_files(&ground.git, &project, &base).await?;
        let roles = role_book(&ground.loaded, &files)?;
        let definition = self.definition(context, &mut ground, &files, &roles)?;
        for title in &self.titles {
            check_intake(&definition, title, &description)?;
        }
        let needed = needed_agents(&ground.project, &roles, &definition, self.agent.as_ref())?;
        let setup = Setup {
            context,
            loaded: &ground.loaded,
            data_dir: &ground.data_dir,
            store: Arc::clone(&store),
            git: Arc::clone(&ground.git),
            project: &ground.project,
            roles,
            agent: self.agent.clone(),
        };
        let bench = wiring::workbench(setup, &needed).await?;
        check_agents(&bench, &needed).await?;
        warn(context, &ground, &bench, &definition);
        store
            .save_project(&ProjectRecord {
                key: project.key.clone(),
                repository: project.repository.clone(),
            })
            .await?;
        let mut pipelines = Vec::new();
        for title in &self.titles {
            let item = NewItem {
                project: project.key.clone(),
                title: title.clone(),
                ascii_title: deunicode::deunicode(title),
                description: description.clone(),
                target: target.clone(),
                options: PipelineOptions {
                    delivery: self.delivery(),
                    human_gates: ground.project.human_gates,
                    agent: self.agent.clone(),
                },
            };
            let pipeline =
                bench.engine.create(&item, &definition, &definition::hash(&definition)).await?;
            pipelines.push(pipeline.id);
        }
        pause_others(&store, &bench, &pipelines, &[], context).await?;
        for id in &pipelines {
            let _moved = bench.engine.ask(*id, &Input::Start, &context.person).await?;
        }
        Ok(Prepared { store, bench, pipelines })
    }

    fn read_description(&self) -> Result<String, CliError> {
        match self.description.as_deref() {
            None => Ok(String::new()),
            Some("-") => {
                let mut text = String::new();
                let read = std::io::stdin().read_to_string(&mut text);
                read.map_err(|error| {
                    CliError::usage(format!(
                        "the description cannot be read from standard input: {error}"
                    ))
                })?;
                Ok(text)
            }
            Some(text) => Ok(text.to_owned()),
        }
    }

    async fn ground(&self, context: &Context) -> Result<Ground, CliError> {
        // Only to look at the repository: the data directory is known after its configuration is read.
        let git = wiring::git(context, &context.cwd).await?;
        let repository = repository::find(context, &git, self.repo.as_deref()).await?;
        let loaded = context.load_config(&repository.root)?;
        called::settle_by(context, &loaded);
        let data_dir = context.data_dir(&loaded);
        let project = loaded.project_at(&repository.root);
        let git = wiring::git(context, &data_dir).await?;
        Ok(Ground { loaded, repository, project, git, data_dir })
    }

    fn target(&self, ground: &Ground) -> Result<BranchName, CliError> {
        let named = self.target.clone().or_else(|| ground.project.default_branch.clone());
        named.or_else(|| ground.repository.branch.clone()).ok_or_else(|| {
            CliError::usage(format!(
                "HEAD of {} is detached: no branch to work for",
                ground.repository.root
            ))
            .help("name one with --target BRANCH, or set `default_branch` in gatewright.toml")
        })
    }

    /// The definition with the project's commands filled in.
    fn definition(
        &self,
        context: &Context,
        ground: &mut Ground,
        files: &BTreeMap<String, String>,
        roles: &RoleBook,
    ) -> Result<Definition, CliError> {
        let name: DefinitionName =
            self.pipeline.clone().unwrap_or_else(|| ground.project.definition.clone());
        let names: BTreeSet<_> = roles.names();
        let places = definition::Places {
            server: Some(ground.loaded.directory()),
            target: files,
            roles: &names,
        };
        let found = definition::find(&name, &places).map_err(|error| {
            let file = format!("{}/{name}.toml", definition::DIRECTORY);
            let is_uncommitted =
                ground.repository.root.join(&file).exists() && !files.contains_key(&file);
            let error = definition_error(&error);
            if is_uncommitted {
                error.help(format!(
                    "{file} is there but not committed: definitions are read from the target branch"
                ))
            } else {
                error
            }
        })?;
        match definition::resolve(found.definition.clone(), &ground.project) {
            Ok(definition) => {
                // Who names a command with --check knows that it does.
                if self.check.is_none() && !context.global.quiet {
                    let replaced = own_commands::replaced(&found.definition, &definition);
                    for line in &replaced {
                        output::say(one_line(line));
                    }
                }
                Ok(definition)
            }
            Err(error) => {
                // Nobody said how it is tested: the repository may show it.
                let detected = detect::detect(&repository_files(&ground.repository));
                let Some(command) = detected.test_command else {
                    return Err(CliError::usage(error.to_string()).help(format!(
                        "say how the work is tested: --check \"make test\", or `{} init`",
                        gatewright()
                    )));
                };
                output::say(format_args!("testing with `{}` ({})", command.run, command.why));
                ground.project = ground.project.clone().with_check(&command.run);
                definition::resolve(found.definition, &ground.project)
                    .map_err(|error| CliError::usage(error.to_string()))
            }
        }
    }
}

/// Says what the person should know before it begins.
fn warn(context: &Context, ground: &Ground, bench: &Workbench, definition: &Definition) {
    if context.global.quiet {
        return;
    }
    let uncommitted = ground.repository.uncommitted;
    if uncommitted > 0 {
        let noun = if uncommitted == 1 { "path has" } else { "paths have" };
        output::warn(format_args!(
            "{uncommitted} {noun} uncommitted changes: agents start from the last commit and do not see them; they stay as they are"
        ));
    }
    if let Some(warning) = &bench.selection.warning {
        output::warn(warning);
    }
    let model_only = definition.stages.iter().any(|stage| {
        stage.roles().next().is_some() && stage.network == domain::definition::Network::ModelOnly
    });
    if model_only {
        output::warn(
            "agents share this machine's network: until the model gateway is there, `network = \"model-only\"` cannot be narrower",
        );
    }
}

/// Refuses what cannot be an item before anything is opened.
fn check_words(title: &str, description: &str) -> Result<Item, CliError> {
    let project = ProjectKey::new("X").expect("a letter is a name");
    Item::new(ItemKey { project, number: 0 }, title, description)
        .map_err(|error| CliError::usage(error.to_string()))
}

/// Refuses what the definition's intake would refuse: here the words can still be changed.
fn check_intake(definition: &Definition, title: &str, description: &str) -> Result<(), CliError> {
    let takes_in = definition.stages.iter().any(|stage| stage.action == Some(Action::Intake));
    let findings = check_words(title, description)?.intake_findings();
    match findings.first().filter(|_| takes_in) {
        Some(finding) => Err(CliError::usage(format!(
            "pipeline `{}` does not take the item: {}",
            definition.name, finding.message
        ))
        .help("say more with --description TEXT, or - to read it from standard input")),
        None => Ok(()),
    }
}

/// Finds the project's key: the one that its repository has had before, else its own, made different where another repository has it.
async fn settle_key(
    store: &SqliteStore,
    project: &mut ProjectSettings,
    repository: &Repository,
) -> Result<ProjectRef, CliError> {
    let place = repository.root.to_string();
    let known = store.list_projects().await?;
    let configured = project.key.clone();
    let taken = |key: &ProjectKey| known.iter().any(|it| it.key == *key && it.repository != place);
    if let Some(record) = known.iter().find(|it| it.repository == place && it.key == configured) {
        project.key = record.key.clone();
    } else if taken(&configured) {
        let numbered = (2..1000).filter_map(|n| ProjectKey::new(format!("{configured}{n}")).ok());
        let free = numbered.into_iter().find(|key| !taken(key));
        project.key = free.ok_or_else(|| {
            CliError::usage(format!("the key `{configured}` is taken by another repository"))
                .help("set `key` in gatewright.toml")
        })?;
    }
    Ok(ProjectRef { key: project.key.clone(), repository: place })
}

/// Definitions and roles that the target branch brings along.
pub(crate) async fn target_files(
    git: &MirrorGit,
    project: &ProjectRef,
    commit: &CommitSha,
) -> Result<BTreeMap<String, String>, CliError> {
    let mut files = BTreeMap::new();
    for path in git.list_files(project, commit).await? {
        if !path.starts_with(definition::DIRECTORY) && !path.starts_with(config::roles::DIRECTORY) {
            continue;
        }
        if let Some(bytes) = git.read_file(project, commit, &path, FILE_BYTES_MAX).await? {
            files.insert(path, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(files)
}

pub(crate) fn role_book(
    loaded: &Loaded,
    files: &BTreeMap<String, String>,
) -> Result<RoleBook, CliError> {
    let mut roles = RoleBook::built_in();
    roles.add_target(files).map_err(|problems| problems_error(&problems))?;
    roles
        .add_server(loaded.directory())
        .map_err(|error| CliError::usage(crate::error::chain(&error)))?;
    Ok(roles)
}

pub(crate) fn definition_error(error: &definition::DefinitionFileError) -> CliError {
    match error {
        definition::DefinitionFileError::Invalid(problems) => problems_error(problems),
        other => CliError::usage(crate::error::chain(other)),
    }
}

/// The agents that the definition's roles will need.
pub(super) fn needed_agents(
    project: &ProjectSettings,
    roles: &RoleBook,
    definition: &Definition,
    agent: Option<&AgentName>,
) -> Result<Vec<AgentName>, CliError> {
    let mut needed = BTreeSet::new();
    for name in definition.stages.iter().flat_map(domain::definition::Stage::roles) {
        let of_role = || roles.find(name).and_then(|role| project.agent_for(role)).cloned();
        let found = agent.cloned().or_else(of_role);
        needed.insert(found.ok_or_else(|| {
            CliError::usage(format!("no agent is configured for role `{name}`"))
                .help(format!(
                    "name one with --agent claude, or `agent = \"claude\"` in gatewright.toml (`{} init` writes one)",
                    gatewright()
                ))
        })?);
    }
    Ok(needed.into_iter().collect())
}

/// Every agent that will be needed answers.
pub(super) async fn check_agents(bench: &Workbench, needed: &[AgentName]) -> Result<(), CliError> {
    for name in needed {
        let Some((kind, profile, path)) = bench.engine.agent(name) else { continue };
        agents::check(kind, profile, path).await?;
    }
    Ok(())
}

/// Lets what an earlier process left running wait: this process works on what it was asked for, and nothing else.
/// What is in `later` has its turn after `ours`, which is nobody's news.
pub(super) async fn pause_others(
    store: &SqliteStore,
    bench: &Workbench,
    ours: &[PipelineId],
    later: &[PipelineId],
    context: &Context,
) -> Result<(), CliError> {
    use domain::pipeline::PipelineStateTag as Tag;
    let filter =
        ports::PipelineFilter { states: vec![Tag::Running], ..ports::PipelineFilter::default() };
    let others: Vec<Pipeline> = store
        .list_pipelines(&filter)
        .await?
        .into_iter()
        .filter(|it| !ours.contains(&it.id))
        .collect();
    let parked = bench.engine.list_parked().await?;
    for pipeline in others {
        match bench.engine.set_aside(pipeline.id).await {
            Ok(_) => {}
            // It is parked already, and must not keep the others waiting.
            Err(error) if error.is_damage() => {
                output::warn(format_args!(
                    "{} is damaged and parked: {}",
                    pipeline.id,
                    crate::error::chain(&error)
                ));
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        if !context.global.quiet && !later.contains(&pipeline.id) {
            let how = match parked.iter().find(|it| it.pipelines.contains(&pipeline.id)) {
                Some(parked) => format!("waits for agents of {}", parked.breaker),
                None => "was left unfinished by an earlier process".to_owned(),
            };
            output::say(format_args!(
                "{} {how}, and is paused: {} run --resume {}",
                pipeline.item.key,
                gatewright(),
                pipeline.id
            ));
        }
    }
    Ok(())
}

fn repository_files(repository: &Repository) -> impl detect::RepositoryFiles {
    crate::commands::init::Tree { root: repository.root.clone() }
}
