//! Goes on with what was left behind: one pipeline, several, or everything that was interrupted.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use config::roles::RoleBook;
use domain::{
    definition::Definition,
    id::PipelineId,
    name::{AgentName, ProjectKey},
    pipeline::{Input, Pipeline, PipelineState, PipelineStateTag},
};
use git::MirrorGit;
use ports::{Git as _, PipelineFilter, ProjectRef, Store as _};
use store_sqlite::SqliteStore;

use super::{
    Run, left_behind,
    prepare::{Prepared, check_agents, needed_agents, pause_others, role_book, target_files},
    result,
};
use crate::{
    called::gatewright,
    commands::{
        damage,
        data::{self, Opened},
        drive::Drive,
        interrupted, outbox,
        pipeline::resolve,
    },
    context::{Context, open_for_writing},
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output,
    wiring::{self, Setup},
    words::one_line,
};

/// The word in place of ids. No id and no key of an item is spelled so.
const ALL: &str = "all";

/// Files of the target branch: its definitions and roles.
type Files = BTreeMap<String, String>;

/// Pipelines that one engine can work on: settings, roles and agents are the same for all of them.
struct Group {
    project: ProjectKey,
    agent: Option<AgentName>,
    files: Files,
    pipelines: Vec<Pipeline>,
}

impl Run {
    /// Takes up what was named, project by project. What cannot be taken up is told and does not keep the others.
    pub(super) async fn go_on(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let (loaded, data_dir) = data::place(context)?;
        let store = open_for_writing(context, &data_dir, HoldingCommand::Resume).await?;
        let data = Opened { loaded, data_dir, store };
        let drive = Drive::begin(context)?;
        let wanted = self.wanted(&data.store).await?;
        let is_all = self.resume.iter().any(|text| text == ALL);
        let told: Vec<PipelineId> = wanted.iter().map(|it| it.id).collect();
        let has_nothing = wanted.is_empty();
        let mut worst = if has_nothing {
            output::say("nothing was interrupted");
            ExitStatus::Success
        } else {
            let is_one = !is_all && wanted.len() == 1;
            self.take_up_each(context, &drive, &data, wanted, is_one).await?
        };
        if !is_all || drive.is_stopped() {
            return Ok(drive.ended_with(worst));
        }
        left_behind::clean_up(context, &drive, &data).await?;
        let delivery = outbox::deliver(context, &drive, &data).await?;
        if drive.is_stopped() {
            return Ok(ExitStatus::Interrupted);
        }
        worst = worst.max(outbox::exit_status(&delivery));
        let waiting = say_who_waits(context, &data.store, &told).await?;
        say_who_is_paused(context, &data.store).await?;
        if context.global.json && has_nothing && waiting.is_none() {
            output::json(&[(); 0]);
        }
        Ok(drive.ended_with(worst.max(waiting.unwrap_or(ExitStatus::Success))))
    }

    /// Works on what is wanted, group by group, until it is stopped.
    async fn take_up_each(
        &self,
        context: &Context,
        drive: &Drive,
        data: &Opened,
        wanted: Vec<Pipeline>,
        is_one: bool,
    ) -> Result<ExitStatus, CliError> {
        let Opened { data_dir, store, .. } = data;
        let mut worst = ExitStatus::Success;
        let git = drive.unless_stopped(wiring::git(context, data_dir)).await;
        let Some(git) = git.transpose()? else { return Ok(worst) };
        let mut groups: Vec<Group> = Vec::new();
        for pipeline in wanted {
            let item = pipeline.item.key.clone();
            let added = add(&mut groups, pipeline, store, &git);
            let Some(added) = drive.unless_stopped(added).await else { return Ok(worst) };
            match added {
                Err(error) if !is_one => worst = worst.max(told(&error, &item.to_string())),
                result => result?,
            }
        }
        let mut left: Vec<PipelineId> =
            groups.iter().flat_map(|group| &group.pipelines).map(|it| it.id).collect();
        for group in groups {
            left.retain(|id| !group.pipelines.iter().any(|it| it.id == *id));
            let items: Vec<String> =
                group.pipelines.iter().map(|it| it.item.key.to_string()).collect();
            let taken_up = Box::pin(take_up(context, drive, data, &git, group, &left)).await;
            // Those that were started are found by the next `--resume`, as after a crash, and so are all others.
            let Some(taken_up) = taken_up.transpose() else { break };
            let status = match taken_up {
                Ok(prepared) => self.work(context, drive, prepared, is_one).await?,
                Err(error) if !is_one => told(&error, &items.join(", ")),
                Err(error) => return Err(error),
            };
            worst = worst.max(status);
        }
        Ok(worst)
    }

    /// The pipelines that are meant, oldest first, each once.
    async fn wanted(&self, store: &SqliteStore) -> Result<Vec<Pipeline>, CliError> {
        let mut wanted = Vec::new();
        for text in &self.resume {
            if text == ALL {
                wanted.extend(interrupted::list(store).await?);
            } else {
                wanted.push(resolve(store, text).await?);
            }
        }
        wanted.sort_by_key(|it| it.id);
        wanted.dedup_by_key(|it| it.id);
        Ok(wanted)
    }
}

/// Says what is wrong with one of several, and what that makes of the exit code.
fn told(error: &CliError, whose: &str) -> ExitStatus {
    output::warn(format_args!("{whose} cannot be resumed: {error}"));
    output::help(error);
    ExitStatus::Failure
}

/// Tells of every pipeline that waits for a person and was not `told` of before, as the `run` that stopped there did.
/// `None` where there is none.
async fn say_who_waits(
    context: &Context,
    store: &SqliteStore,
    told: &[PipelineId],
) -> Result<Option<ExitStatus>, CliError> {
    let states = vec![PipelineStateTag::AwaitingHuman, PipelineStateTag::Blocked];
    let filter = PipelineFilter { states, ..PipelineFilter::default() };
    let mut waiting = store.list_pipelines(&filter).await?;
    waiting.retain(|pipeline| !told.contains(&pipeline.id));
    waiting.sort_by_key(|pipeline| pipeline.id);
    let mut worst = None;
    for pipeline in waiting {
        let result = result::load(store, pipeline.id).await?;
        result::tell(&result, context, false);
        worst = worst.max(Some(result.exit_status()));
    }
    Ok(worst)
}

/// Names what a person paused, which is not taken up: it goes on where it is named itself.
async fn say_who_is_paused(context: &Context, store: &SqliteStore) -> Result<(), CliError> {
    for (pipeline, by) in interrupted::list_paused(store).await? {
        let key = &pipeline.item.key;
        match by {
            Some(_) if context.global.quiet => {}
            Some(by) => output::say(format_args!(
                "{key} stays paused by {}: {} run --resume {key} goes on",
                one_line(&by.to_string()),
                gatewright()
            )),
            None => damage::warn_of_pause(store, &pipeline).await?,
        }
    }
    Ok(())
}

/// Puts a pipeline to those that it can be worked on with.
async fn add(
    groups: &mut Vec<Group>,
    pipeline: Pipeline,
    store: &SqliteStore,
    git: &MirrorGit,
) -> Result<(), CliError> {
    let project = find_project(store, &pipeline).await?;
    let is_new = |group: &Group| group.project == project.key;
    if !groups.iter().any(is_new) {
        git.sync(&project).await?;
    }
    let files = match &pipeline.base {
        Some(base) => target_files(git, &project, base).await?,
        None => Files::new(),
    };
    let agent = pipeline.options.agent.clone();
    let alike = |group: &&mut Group| {
        group.project == project.key && group.agent == agent && group.files == files
    };
    match groups.iter_mut().find(alike) {
        Some(group) => group.pipelines.push(pipeline),
        None => {
            groups.push(Group { project: project.key, agent, files, pipelines: vec![pipeline] });
        }
    }
    Ok(())
}

async fn find_project(store: &SqliteStore, pipeline: &Pipeline) -> Result<ProjectRef, CliError> {
    let record = store.find_project(&pipeline.project).await?;
    let record = record.ok_or_else(|| {
        CliError::new(format!(
            "the project `{}` of {} is not known any more",
            pipeline.project, pipeline.id
        ))
    })?;
    Ok(ProjectRef { key: record.key, repository: record.repository })
}

/// Puts an engine together for a group and starts what does not run yet. `None` where somebody wants the command to end.
async fn take_up(
    context: &Context,
    drive: &Drive,
    data: &Opened,
    git: &Arc<MirrorGit>,
    group: Group,
    later: &[PipelineId],
) -> Result<Option<Prepared>, CliError> {
    let Opened { data_dir, store, .. } = data;
    let prepared = drive.unless_stopped(prepare(context, data_dir, store, git, group, later)).await;
    let Some(prepared) = prepared.transpose()? else { return Ok(None) };
    let engine = &prepared.bench.engine;
    for id in &prepared.pipelines {
        // As it is now: an earlier turn may have set it aside.
        let Some(pipeline) = store.find_pipeline(*id).await? else { continue };
        for input in inputs(&pipeline.state) {
            let asked = engine.ask(*id, &input, &context.person);
            match drive.unless_stopped_beside(engine, asked).await {
                Some(moved) => drop(moved?),
                None => return Ok(None),
            }
        }
    }
    Ok(Some(prepared))
}

/// Puts an engine together for a group, which is alone at work.
async fn prepare(
    context: &Context,
    data_dir: &Utf8Path,
    store: &Arc<SqliteStore>,
    git: &Arc<MirrorGit>,
    group: Group,
    later: &[PipelineId],
) -> Result<Prepared, CliError> {
    let Group { project: key, agent, files, pipelines } = group;
    let first = pipelines.first().expect("a group is made for a pipeline");
    let repository = find_project(store, first).await?.repository;
    let repository = Utf8Path::new(&repository);
    let loaded = context.load_config(repository)?;
    let mut project = loaded.project_at(repository);
    project.key = key;
    let roles = role_book(&loaded, &files)?;
    let needed = list_needed(store, &project, &roles, &pipelines, agent.as_ref()).await?;
    let setup = Setup {
        context,
        loaded: &loaded,
        data_dir,
        store: Arc::clone(store),
        git: Arc::clone(git),
        project: &project,
        roles,
        agent,
    };
    let bench = wiring::workbench(setup, &needed).await?;
    check_agents(&bench, &needed).await?;
    let ids: Vec<PipelineId> = pipelines.iter().map(|it| it.id).collect();
    pause_others(store, &bench, &ids, later, context).await?;
    Ok(Prepared { store: Arc::clone(store), bench, pipelines: ids })
}

/// What brings a pipeline in this state to move.
fn inputs(state: &PipelineState) -> Vec<Input> {
    match state {
        PipelineState::Queued => vec![Input::Start],
        PipelineState::Paused { inner } if matches!(**inner, PipelineState::Queued) => {
            vec![Input::Resume, Input::Start]
        }
        PipelineState::Paused { .. } => vec![Input::Resume],
        PipelineState::Running { .. }
        | PipelineState::AwaitingHuman { .. }
        | PipelineState::Blocked { .. }
        | PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => Vec::new(),
    }
}

/// The agents of all of them.
async fn list_needed(
    store: &SqliteStore,
    project: &config::ProjectSettings,
    roles: &RoleBook,
    pipelines: &[Pipeline],
    agent: Option<&AgentName>,
) -> Result<Vec<AgentName>, CliError> {
    let mut needed = Vec::new();
    for pipeline in pipelines {
        let definition: Option<Definition> = store.find_definition(&pipeline.definition).await?;
        let definition = definition.ok_or_else(|| {
            CliError::new(format!("the definition of {} is missing from the store", pipeline.id))
        })?;
        needed.extend(needed_agents(project, roles, &definition, agent)?);
    }
    needed.sort();
    needed.dedup();
    Ok(needed)
}
