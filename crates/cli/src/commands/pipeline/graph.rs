//! `gatewright pipeline graph`

mod model;

mod mermaid;
mod svg;
mod terminal;

use clap::{Args, ValueEnum};
use domain::name::DefinitionName;
use model::Graph;
use ports::Store as _;
use serde_json::json;

use super::resolve;
use crate::{
    commands::{
        data::{Opened, all_events},
        here::Here,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
};

/// What to draw, and how.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The pipeline, drawn with where it is
    #[arg(required_unless_present = "definition")]
    id: Option<String>,
    /// A definition in place of a pipeline
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    definition: Option<DefinitionName>,
    /// How to draw it
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

/// How to draw a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text
    Terminal,
    /// A Mermaid flowchart
    Mermaid,
    /// A picture
    Svg,
}

impl GraphArgs {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let graph = match (&self.id, &self.definition) {
            (Some(id), _) => of_pipeline(context, id).await?,
            (None, Some(name)) => {
                Graph::new(&Here::find(context).await?.find_definition(name)?.definition)
            }
            (None, None) => return Err(CliError::usage("nothing to draw was named")),
        };
        let drawing = match self.format {
            Format::Terminal => terminal::draw(&graph),
            Format::Mermaid => mermaid::draw(&graph),
            Format::Svg => svg::draw(&graph),
        };
        if context.global.json {
            output::json(&json!({ "graph": drawing }));
        } else {
            output::data(drawing.trim_end());
        }
        Ok(ExitStatus::Success)
    }
}

async fn of_pipeline(context: &Context, id: &str) -> Result<Graph, CliError> {
    let data = Opened::read(context)?;
    let pipeline = resolve(&*data.store, id).await?;
    let definition = data.store.find_definition(&pipeline.definition).await?;
    let definition = definition.ok_or_else(|| {
        CliError::new(format!(
            "the definition that {} is pinned to is missing from the store",
            pipeline.id
        ))
    })?;
    let events = all_events(&*data.store, pipeline.id).await?;
    Ok(Graph::new(&definition).with_course(&api::timeline(&events)))
}
