//! `gatewright definition`

use api::DefinitionView;
use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use comfy_table::Cell;
use config::definition::{self, Found};
use domain::{definition::Known, name::DefinitionName};
use serde_json::json;

use super::here::Here;
use crate::{context::Context, error::CliError, exit::ExitStatus, output, words};

/// List, show and check pipeline definitions
///
/// Definitions are looked up in `pipelines/` beside the configuration, in `.gatewright/pipelines/` of the target
/// branch, and among the built-in ones, in this order.
#[derive(Debug, Subcommand)]
pub(crate) enum Definition {
    /// List the definitions that there are, and where
    List,
    /// Show a definition
    Show(Show),
    /// Check a file; says everything that is wrong, each with its line
    Check(Check),
    /// Print the JSON Schema of definition files, for editors
    Schema,
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its name
    name: DefinitionName,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The file
    file: Utf8PathBuf,
}

impl Definition {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match self {
            Self::List => list(context).await,
            Self::Show(command) => show(context, &command.name).await,
            Self::Check(command) => check(context, &command.file).await,
            Self::Schema => {
                output::json(&definition::schema());
                Ok(ExitStatus::Success)
            }
        }
    }
}

async fn list(context: &Context) -> Result<ExitStatus, CliError> {
    let here = Here::find(context).await?;
    let mut table = words::table(&["name", "where", "description"]);
    let mut views = Vec::new();
    for (name, found_in) in here.definitions() {
        // One that is broken is listed all the same: `definition show` says what is wrong with it.
        let description = here
            .find_definition(&name)
            .map_or_else(|error| format!("broken: {error}"), |found| found.definition.description);
        table.add_row(vec![
            Cell::new(&name),
            Cell::new(words::one_line(&found_in.to_string())),
            Cell::new(words::one_line(&description)),
        ]);
        views.push(
            json!({ "name": name, "found_in": found_in.to_string(), "description": description }),
        );
    }
    if context.global.json {
        output::json(&views);
    } else {
        output::data(table.trim_fmt());
    }
    Ok(ExitStatus::Success)
}

async fn show(context: &Context, name: &DefinitionName) -> Result<ExitStatus, CliError> {
    let here = Here::find(context).await?;
    let Found { definition, hash, found_in } = here.find_definition(name)?;
    let view = DefinitionView::new(&definition, &hash, found_in.to_string());
    if context.global.json {
        output::json(&view);
        return Ok(ExitStatus::Success);
    }
    output::data(format_args!("{}  {}", view.name, words::one_line(&view.description)));
    output::data(format_args!("  found   {}", words::one_line(&view.found_in)));
    output::data(format_args!("  hash    {}", view.hash));
    let mut table = words::table(&["stage", "who", "gates", "then", "when it fails"]);
    for stage in &view.stages {
        let waves: Vec<String> = stage
            .waves
            .iter()
            .map(|wave| wave.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + "))
            .collect();
        let who = stage
            .action
            .map_or_else(|| waves.join(", then "), |action| format!("itself: {action}"));
        let gates: Vec<String> =
            stage.gates.iter().map(|it| format!("{} ({})", it.name, it.kind)).collect();
        let fails = stage.on_fail.as_ref().map_or_else(
            || "a person".to_owned(),
            |route| format!("{}, {} times, then {}", route.to, route.max, route.then),
        );
        table.add_row(vec![
            Cell::new(&stage.name),
            Cell::new(who),
            Cell::new(gates.join(", ")),
            Cell::new(stage.on_pass.as_ref().map_or("end", |it| it.as_str())),
            Cell::new(fails),
        ]);
    }
    output::data("");
    output::data(table.trim_fmt());
    Ok(ExitStatus::Success)
}

async fn check(context: &Context, file: &Utf8PathBuf) -> Result<ExitStatus, CliError> {
    let path = context.absolute(file);
    let read = std::fs::read_to_string(&path);
    let text = read.map_err(|error| CliError::usage(format!("could not read {path}: {error}")))?;
    let here = Here::find(context).await?;
    let roles = here.roles.names();
    match definition::parse(&text, file.as_str(), &Known { roles: &roles }) {
        Ok(found) => {
            if context.global.json {
                output::json(
                    &json!({ "valid": true, "name": found.name, "hash": definition::hash(&found), "problems": [] }),
                );
            } else {
                output::data(format_args!(
                    "{file} is right: definition {} with {} stages",
                    found.name,
                    found.stages.len()
                ));
            }
            Ok(ExitStatus::Success)
        }
        Err(problems) if context.global.json => {
            output::json(&json!({ "valid": false, "problems": words::problem_views(&problems) }));
            Ok(ExitStatus::Usage)
        }
        Err(problems) => Err(crate::context::problems_error(&problems)),
    }
}
