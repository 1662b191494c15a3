//! `gatewright gate`

mod ask;

use api::GateView;
use clap::{Args, Subcommand};
use comfy_table::Cell;
use domain::{
    definition::Definition,
    name::{DefinitionName, GateName, StageName},
};

use super::here::Here;
use crate::{context::Context, error::CliError, exit::ExitStatus, output, words};

/// List gates and run one here
#[derive(Debug, Subcommand)]
pub(crate) enum Gate {
    /// List the gates of a definition
    List(List),
    /// Judge a commit of this repository; exit 0 if it passes, 1 if not, 3 if a person is asked
    Run(Run),
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The definition [default: the project's]
    #[arg(short, long, value_name = "NAME")]
    pipeline: Option<DefinitionName>,
}

/// What to judge.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The gate
    name: GateName,
    /// The commit or branch [default: the commit that is checked out]
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// The commit or branch that the work started from [default: the commit itself, so that nothing counts as deleted]
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// The definition [default: the project's]
    #[arg(short, long, value_name = "NAME")]
    pipeline: Option<DefinitionName>,
    /// The stage, where several have a gate of that name
    #[arg(long, value_name = "STAGE")]
    stage: Option<StageName>,
    /// The item's key, for paths that name it [default: from the branch's name]
    #[arg(long, value_name = "KEY")]
    item: Option<String>,
}

impl Gate {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Run(command) => command.run(context).await,
        }
    }
}

impl List {
    async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let here = Here::find(context).await?;
        let definition = definition(&here, self.pipeline.as_ref())?;
        // What has no command yet is listed too.
        let definition = here.resolve(&definition).unwrap_or(definition);
        let of_stage = |stage: &domain::definition::Stage| {
            stage.gates.iter().map(|gate| GateView::new(&stage.name, gate)).collect::<Vec<_>>()
        };
        let views: Vec<GateView> = definition.stages.iter().flat_map(of_stage).collect();
        if context.global.json {
            output::json(&views);
            return Ok(ExitStatus::Success);
        }
        let mut table = words::table(&["stage", "gate", "kind", "passes when"]);
        for view in &views {
            let checks = words::one_line(&view.checks);
            table.add_row(vec![
                Cell::new(&view.stage),
                Cell::new(&view.name),
                Cell::new(&view.kind),
                Cell::new(checks),
            ]);
        }
        output::data(table.trim_fmt());
        Ok(ExitStatus::Success)
    }
}

/// The definition of that name, else the project's.
fn definition(here: &Here, name: Option<&DefinitionName>) -> Result<Definition, CliError> {
    Ok(here.find_definition(name.unwrap_or(&here.settings.definition))?.definition)
}
