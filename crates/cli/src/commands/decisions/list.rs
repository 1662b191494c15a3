//! `gatewright decisions list`

use std::collections::BTreeMap;

use api::DecisionView;
use clap::Args;
use comfy_table::Cell;
use domain::{decision::Decision, id::PipelineId, item::ItemKey};
use jiff::Timestamp;
use ports::{Store, StoreError};

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
        damage::warn(&damage::load(&*data.store).await?);
        let items = items(&*data.store, &decisions).await?;
        let view = |it: &Decision| DecisionView::new(it, items.get(&it.pipeline));
        let views: Vec<DecisionView> = decisions.iter().map(view).collect();
        if views.is_empty() {
            return Ok(nothing(context));
        }
        if context.global.json {
            output::json(&views);
            return Ok(ExitStatus::Success);
        }
        let now = Timestamp::now();
        let mut table = words::table(&["item", "kind", "state", "asked", "question", "id"]);
        for view in &views {
            let tone = if view.closed_at.is_none() { Tone::Attention } else { Tone::Quiet };
            let question: String = words::one_line(&view.question).chars().take(80).collect();
            table.add_row(vec![
                Cell::new(view.item.as_deref().unwrap_or_default()),
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

/// The items, by pipeline. One that cannot be read has none: whoever lists what is damaged says so.
async fn items(
    store: &dyn Store,
    decisions: &[Decision],
) -> Result<BTreeMap<PipelineId, ItemKey>, CliError> {
    let mut items = BTreeMap::new();
    for decision in decisions {
        if items.contains_key(&decision.pipeline) {
            continue;
        }
        match store.find_pipeline(decision.pipeline).await {
            Ok(Some(pipeline)) => drop(items.insert(decision.pipeline, pipeline.item.key)),
            Ok(None) | Err(StoreError::Inconsistent { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(items)
}
