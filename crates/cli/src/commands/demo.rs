//! `gatewright demo`

mod directory;

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8Path;
use clap::Args;
use config::{definition, roles::RoleBook};
use domain::{
    id::PipelineId,
    name::{AgentName, DefinitionName},
    pipeline::{Delivery, Input, PipelineOptions, PipelineState},
    revision::BranchName,
};
use engine::NewItem;
use git::SeedFile;
use ports::{Git as _, ProjectRecord, ProjectRef, Store as _};

use crate::{
    called::{self, gatewright},
    commands::{
        drive::Drive,
        run::{
            foreground::Foreground,
            result::{self, RunResult},
        },
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output,
    wiring::{self, Setup},
    words,
};

/// Who answers the approval where nobody was asked to.
const DEMO_PERSON: &str = "the demo";
/// The scenario in which nobody misbehaves.
const WELL_BEHAVED: &str = "demo";

/// Show the whole thing in under a minute, with nothing configured
///
/// Makes a small real repository and drives one work item through a built-in pipeline with a built-in scripted agent:
/// real git, a real test suite that fails first, a review that sends the work back once, an approval, a merge.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the demo's directory; otherwise a demo that starts more than an hour later removes it
    #[arg(long)]
    keep: bool,
    /// Ask you for the approval
    #[arg(long)]
    ask: bool,
    /// The pipeline definition [default: `delivery`, and `solo` for a misbehaviour]
    #[arg(short, long, value_name = "NAME")]
    pipeline: Option<DefinitionName>,
    /// What the scripted agent plays: a well-behaved `demo`, or one of the misbehaviours that `agents list --scenarios` names
    #[arg(long, value_name = "NAME", default_value = "demo")]
    scenario: String,
}

impl Demo {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let definition_name = self.definition_name()?;
        let dir = directory::make(self.keep)?;
        let repo = dir.join("greet");
        let data_dir = dir.join("data");
        called::settle_at(context, Some(&data_dir));
        let git = wiring::git(context, &data_dir).await?;
        let target = BranchName::new("main").map_err(|error| CliError::new(error.to_string()))?;
        let files = agents::scripted::demo_repository();
        let files = files.into_iter().map(|it| SeedFile {
            path: it.path.into(),
            content: it.content.into(),
            executable: it.executable,
        });
        git.seed(&repo, &target, files.collect()).await?;

        let store =
            crate::context::open_for_writing(context, &data_dir, HoldingCommand::Demo).await?;
        let loaded = self.config(context, &repo)?;
        let project = loaded.project_at(&repo).with_check(agents::scripted::demo::DEMO_TESTS);
        let record = ProjectRecord { key: project.key.clone(), repository: repo.to_string() };
        store.save_project(&record).await?;
        git.sync(&ProjectRef { key: record.key.clone(), repository: record.repository }).await?;

        let roles = RoleBook::built_in();
        let names = roles.names();
        let places = definition::Places { server: None, target: &BTreeMap::new(), roles: &names };
        let found = definition::find(&definition_name, &places)
            .map_err(|error| crate::commands::run::definition_error(&error))?;
        let definition = definition::resolve(found.definition, &project)
            .map_err(|error| CliError::usage(error.to_string()))?;
        let agent = AgentName::new("scripted").map_err(|error| CliError::new(error.to_string()))?;
        let setup = Setup {
            context,
            loaded: &loaded,
            data_dir: &data_dir,
            store: Arc::clone(&store),
            git,
            project: &project,
            roles,
            agent: Some(agent.clone()),
        };
        let bench = wiring::workbench_for_our_own(setup, std::slice::from_ref(&agent)).await?;
        let item = NewItem {
            project: project.key.clone(),
            title: agents::scripted::demo::DEMO_TITLE.to_owned(),
            ascii_title: agents::scripted::demo::DEMO_TITLE.to_owned(),
            description: agents::scripted::demo::DEMO_DESCRIPTION.to_owned(),
            target,
            options: PipelineOptions {
                delivery: Delivery::Merge,
                human_gates: true,
                agent: Some(agent),
            },
        };
        let pipeline =
            bench.engine.create(&item, &definition, &definition::hash(&definition)).await?;
        Self::introduce(context, &dir, &definition_name, bench.selection.backend, &item.title);
        let _moved = bench.engine.ask(pipeline.id, &Input::Start, DEMO_PERSON).await?;
        let person = if self.ask { context.person.clone() } else { DEMO_PERSON.to_owned() };
        let drive = Drive::begin(context)?;
        let foreground = Foreground {
            context,
            drive: &drive,
            engine: bench.engine,
            store,
            yes: !self.ask,
            person,
        };
        self.work(&foreground, pipeline.id).await?;
        let result = result::load(&*foreground.store, pipeline.id).await?;
        if context.global.json {
            output::json(&result);
        } else {
            conclude(context, &result, &repo);
        }
        Ok(drive.ended_with(result.exit_status()))
    }

    /// Works to the end; with `--ask`, stops at each approval to ask.
    async fn work(&self, foreground: &Foreground<'_>, id: PipelineId) -> Result<(), CliError> {
        loop {
            foreground.work(&[id]).await?;
            if foreground.drive.is_stopped() {
                return Ok(());
            }
            let pipeline = foreground.store.find_pipeline(id).await?;
            let Some(PipelineState::AwaitingHuman { decision, .. }) =
                pipeline.map(|it| it.state).filter(|_| self.ask)
            else {
                return Ok(());
            };
            let Some(decision) = foreground.store.find_decision(decision).await? else {
                return Ok(());
            };
            let question = decision.question.clone();
            let asked = tokio::task::spawn_blocking(move || directory::ask(&question));
            let Some(answer) = foreground.drive.unless_stopped(asked).await else {
                return Ok(());
            };
            let answer = answer.map_err(|panic| {
                CliError::new(format!("nobody could be asked: {panic}"))
                    .status(ExitStatus::Internal)
            })?;
            let Some((choice, comment)) = answer? else {
                return Ok(());
            };
            let _moved =
                foreground.engine.resolve(&decision, choice, &comment, &foreground.person).await?;
        }
    }

    /// The definition that was asked for, or the one that suits the scenario. A scenario that does not exist is refused
    /// before anything is made.
    fn definition_name(&self) -> Result<DefinitionName, CliError> {
        let known = agents::scripted::scenarios();
        if !known.iter().any(|it| it.name == self.scenario) {
            let names: Vec<&str> = known.iter().map(|it| it.name).collect();
            return Err(CliError::usage(format!("there is no scenario `{}`", self.scenario))
                .help(format!("choose one of: {}", names.join(", "))));
        }
        let usual = if self.scenario == WELL_BEHAVED { "delivery" } else { "solo" };
        match &self.pipeline {
            Some(named) => Ok(named.clone()),
            None => DefinitionName::new(usual).map_err(|error| CliError::new(error.to_string())),
        }
    }

    fn config(&self, context: &Context, repo: &Utf8Path) -> Result<config::Loaded, CliError> {
        // Nothing of the user's own configuration: the demo is the same everywhere.
        let text = format!(
            "agent = \"scripted\"\n[agents.scripted]\nkind = \"scripted\"\nargs = [{:?}]\n",
            self.scenario
        );
        let mut surroundings = context.surroundings();
        surroundings.environment.clear();
        let parsed = config::parse(&text, &repo.join("gatewright.toml"), &surroundings);
        parsed.map_err(|problems| crate::context::problems_error(&problems))
    }

    fn introduce(
        context: &Context,
        dir: &Utf8Path,
        definition: &DefinitionName,
        backend: &str,
        title: &str,
    ) {
        if context.global.quiet || context.global.json {
            return;
        }
        output::say(format_args!(
            "A repository with a small program and its tests was made in {dir}/greet."
        ));
        output::say(format_args!(
            "Work item: {title}. Pipeline `{definition}`, scripted agents, sandbox `{backend}`.\n"
        ));
    }
}

/// The timeline, and where to look closer.
fn conclude(context: &Context, result: &RunResult, repo: &Utf8Path) {
    output::data("");
    output::data(words::timeline(&result.stages));
    let took = words::duration(std::time::Duration::from_millis(result.duration_ms));
    match &result.merged_commit {
        Some(commit) => output::data(format_args!(
            "{} is merged into {} as {} after being sent back {} times, in {took}.",
            result.item,
            result.target,
            &commit[..10],
            result.sent_back
        )),
        None => output::data(format_args!("{} is {} after {took}.", result.item, result.status)),
    }
    if let Some(reason) = &result.reason {
        output::data(format_args!("  {}", words::safe(reason)));
    }
    output::data("\nLook closer:");
    output::data(format_args!("  git -C {repo} log --graph --oneline --stat"));
    output::data(format_args!("  (cd {repo} && {})", agents::scripted::demo::DEMO_TESTS));
    for command in ["pipeline show", "events", "logs"] {
        output::data(format_args!("  {} {command} {}", gatewright(), result.item));
    }
    if result.merged_commit.is_none() {
        return;
    }
    let called = context.called();
    output::data("Then, in a repository of yours:");
    output::data(format_args!("  {called} init && {called} run \"Add a --version flag\""));
}
