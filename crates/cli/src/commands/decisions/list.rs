//! `gatewright decisions list`

use std::collections::BTreeMap;

use api::DecisionView;
use clap::Args;
use comfy_table::Cell;
use domain::id::PipelineId;
use jiff::Timestamp;
use ports::Store;

use crate::{
    commands::{damage, data::Opened},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
    words::{self, Tone},
};

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that are answered or withdrawn as well
    #[arg(long)]
    all: bool,
}

impl List {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let Some(data) = Opened::find(context)? else { return Ok(nothing(context)) };
        let decisions = data.store.list_decisions(None, !self.all).await?;
        damage::warn(context, &damage::load(&*data.store).await?);
        let views: Vec<DecisionView> = decisions.iter().map(DecisionView::from).collect();
        if views.is_empty() {
            return Ok(nothing(context));
        }
        if context.global.json {
            output::json(&views);
            return Ok(ExitStatus::Success);
        }
        let items = items(&*data.store, &views).await?;
        let now = Timestamp::now();
        let mut table = words::table(&["item", "kind", "state", "asked", "question", "id"]);
        for view in &views {
            let tone = if view.closed_at.is_none() { Tone::Attention } else { Tone::Quiet };
            let question: String = words::one_line(&view.question).chars().take(80).collect();
            table.add_row(vec![
                Cell::new(items.get(&view.pipeline).map_or("", String::as_str)),
                Cell::new(view.kind),
                tone.cell(&view.state),
                Cell::new(words::ago(view.opened_at, now)),
                Cell::new(question),
                Cell::new(view.id),
            ]);
        }
        output::data(table.trim_fmt());
        Ok(ExitStatus::Success)
    }
}

/// Says that there are none.
fn nothing(context: &Context) -> ExitStatus {
    if context.global.json {
        output::json(&[(); 0]);
    } else {
        output::say("nobody is asked anything");
    }
    ExitStatus::Success
}

/// The items' keys, by pipeline.
async fn items(
    store: &dyn Store,
    views: &[DecisionView],
) -> Result<BTreeMap<PipelineId, String>, CliError> {
    let mut items = BTreeMap::new();
    for view in views {
        if items.contains_key(&view.pipeline) {
            continue;
        }
        if let Some(pipeline) = store.find_pipeline(view.pipeline).await? {
            items.insert(view.pipeline, pipeline.item.key.to_string());
        }
    }
    Ok(items)
}
