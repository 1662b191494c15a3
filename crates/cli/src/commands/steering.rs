//! Which engine brings a person's input to a pipeline, and which stops whom it leaves behind.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use domain::{name::AgentName, pipeline::Pipeline, run::Run};
use engine::{Engine, chain};
use ports::{ProjectRef, Store as _};

use super::{
    data::Opened,
    drive::Drive,
    run::{role_book, target_files},
};
use crate::{
    called::gatewright,
    context::Context,
    error::CliError,
    output,
    wiring::{self, Setup},
};

/// An engine that changes what is remembered, and knows no agents.
pub(crate) async fn engine(context: &Context, data: &Opened) -> Result<Arc<Engine>, CliError> {
    wiring::steering_engine(context, &data.loaded, &data.data_dir, Arc::clone(&data.store)).await
}

/// Stops the agents that an input has left behind. What they left is kept as `run` would keep it, by an engine that knows
/// the agents, the roles and the walls that are configured for the pipeline's repository. Where those cannot be had, that
/// is said, and the agents are stopped all the same. Nobody who wants the command to end waits for it.
pub(crate) async fn stop_left_behind(
    context: &Context,
    drive: &Drive,
    data: &Opened,
    engine: Arc<Engine>,
    pipeline: &Pipeline,
) -> Result<(), CliError> {
    let left = engine.list_agents_left(pipeline.id).await?;
    if left.is_empty() {
        return Ok(());
    }
    let keeping = keeping_engine(context, data, pipeline, &left);
    let Some(keeping) = drive.unless_stopped(keeping).await else { return Ok(()) };
    let engine = match keeping {
        Ok(keeping) => keeping,
        Err(error) => {
            let CliError { message, help, .. } = error;
            let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
            output::warn(format_args!(
                "what the agent of {} left stays in its workspace, because {message}{help}; the next `{} run` takes it over once that is mended",
                pipeline.item.key,
                gatewright()
            ));
            engine
        }
    };
    let stopped = engine.stop_agents_left(pipeline.id);
    match drive.unless_stopped_beside(&engine, stopped).await {
        // What was asked for has happened all the same.
        Some(Err(error)) if error.may_pass() => {
            output::warn(format_args!(
                "an agent of {} could not be stopped, or what it left not be kept: {}; where the disk of {} is full, free some space on it: the next `{} run` does it then",
                pipeline.item.key,
                chain(&error),
                data.data_dir,
                gatewright()
            ));
            Ok(())
        }
        Some(result) => Ok(result?),
        None => Ok(()),
    }
}

/// An engine as `run` has it, which can hand in what the agents of these runs left.
async fn keeping_engine(
    context: &Context,
    data: &Opened,
    pipeline: &Pipeline,
    left: &[Run],
) -> Result<Arc<Engine>, CliError> {
    let record = data.store.find_project(&pipeline.project).await?.ok_or_else(|| {
        CliError::new(format!("the project `{}` is not known any more", pipeline.project))
    })?;
    let repository = Utf8Path::new(&record.repository);
    let loaded = context.load_config(repository)?;
    let mut settings = loaded.project_at(repository);
    settings.key = record.key.clone();
    let git = wiring::git(context, &data.data_dir).await?;
    let project = ProjectRef { key: record.key, repository: record.repository.clone() };
    let files = match &pipeline.base {
        Some(base) => target_files(&git, &project, base).await?,
        None => BTreeMap::new(),
    };
    let setup = Setup {
        context,
        loaded: &loaded,
        data_dir: &data.data_dir,
        store: Arc::clone(&data.store),
        git,
        project: &settings,
        roles: role_book(&loaded, &files)?,
        agent: pipeline.options.agent.clone(),
    };
    let needed: Vec<AgentName> = left.iter().map(|run| run.agent.clone()).collect();
    Ok(wiring::workbench(setup, &needed).await?.engine)
}
