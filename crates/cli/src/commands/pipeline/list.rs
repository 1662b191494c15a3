//! `gatewright pipeline list`

use api::{DamageView, PipelineView};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use comfy_table::Cell;
use domain::{name::ProjectKey, pipeline::PipelineStateTag};
use jiff::Timestamp;
use ports::{PipelineFilter, Store as _};
use strum::VariantArray as _;

use super::seen::Seen;
use crate::{
    called::gatewright,
    commands::{
        damage,
        data::{Opened, Pause, last_pause},
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
    words::{self, tone_of_status},
};

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this project only
    #[arg(long, value_name = "KEY")]
    project: Option<ProjectKey>,
    /// In these states only
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = statuses())]
    status: Vec<PipelineStateTag>,
    /// At most this many; 0 lists all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

fn statuses() -> impl TypedValueParser<Value = PipelineStateTag> {
    let names = PipelineStateTag::VARIANTS.iter().map(<&'static str>::from);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<PipelineStateTag>())
}

impl List {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let Some(data) = Opened::find(context)? else { return Ok(nothing(context)) };
        let filter = PipelineFilter {
            project: self.project.clone(),
            states: self.status.clone(),
            limit: self.limit,
        };
        let pipelines = data.store.list_pipelines(&filter).await?;
        damage::warn(&damaged(&data, &filter).await?);
        let (seen, now) = (Seen::look(&data, None).await?, Timestamp::now());
        let mut views = Vec::new();
        for pipeline in &pipelines {
            let pause = last_pause(&*data.store, pipeline).await?;
            let pause = match pause {
                Pause::Known(event) => Some(*event),
                Pause::Unreadable => {
                    damage::warn_of_pause(&*data.store, pipeline).await?;
                    None
                }
                Pause::None => None,
            };
            let view = PipelineView::with_events(pipeline, pause.as_slice());
            views.push(seen.add_to(view, pipeline).await?);
        }
        if views.is_empty() {
            return Ok(nothing(context));
        }
        if context.global.json {
            output::json(&views);
            return Ok(ExitStatus::Success);
        }
        let mut table = words::table(&["item", "status", "stage", "made", "tokens", "title", "id"]);
        for view in &views {
            let stage = match (&view.stage, view.attempt) {
                (Some(stage), Some(attempt @ 2..)) => format!("{stage} #{attempt}"),
                (Some(stage), _) => stage.to_string(),
                (None, _) => String::new(),
            };
            table.add_row(vec![
                Cell::new(&view.item),
                tone_of_status(view.status).cell(words::status(view)),
                Cell::new(stage),
                Cell::new(words::ago(view.created_at, now)),
                Cell::new(words::tokens(view.usage.tokens)),
                Cell::new(words::one_line(&view.title)),
                Cell::new(view.id),
            ]);
        }
        output::data(table.trim_fmt());
        Ok(ExitStatus::Success)
    }
}

/// What is damaged among the pipelines that have not ended, and which of those that were asked for are left out for it.
async fn damaged(data: &Opened, filter: &PipelineFilter) -> Result<Vec<DamageView>, CliError> {
    let mut damaged = damage::load(&*data.store).await?;
    for row in data.store.damaged_pipelines(filter).await?.into_iter().map(damage::view) {
        if !damaged.iter().any(|it| (&it.table, &it.row) == (&row.table, &row.row)) {
            damaged.push(row);
        }
    }
    Ok(damaged)
}

/// Says that there are none.
fn nothing(context: &Context) -> ExitStatus {
    if context.global.json {
        output::json(&[(); 0]);
    } else {
        output::say(format_args!("no pipelines: {} run \"…\" makes one", gatewright()));
    }
    ExitStatus::Success
}
