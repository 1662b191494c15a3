//! What was begun and nobody works on: pipelines, and agents that live all the same.

use api::CheckView;
use domain::{
    job::JobStateTag,
    pipeline::{Pipeline, PipelineState},
};
use ports::{JobFilter, Store as _};

use super::warning;
use crate::{
    called::gatewright,
    commands::{attendance, data::Opened, interrupted},
    context::Context,
    error::CliError,
};

/// Pipelines that are named; there may be many.
const NAMED_MAX: usize = 5;

/// A warning where no process is there and something was begun. Where the database cannot be asked, its own check says so.
pub(super) async fn checks(context: &Context) -> Vec<CheckView> {
    let Ok(Some(data)) = Opened::find(context) else { return Vec::new() };
    if !matches!(store_sqlite::find_holder(&data.data_dir), Ok(None)) {
        return Vec::new();
    }
    look(&data).await.unwrap_or_else(|error| vec![warning(NAME, error.message, "see the database")])
}

const NAME: &str = "pipelines";

async fn look(data: &Opened) -> Result<Vec<CheckView>, CliError> {
    let gatewright = gatewright();
    let mut checks = Vec::new();
    let begun = interrupted::list(&*data.store).await?;
    if let Some(named) = named(data, &begun, true).await? {
        let found = format!("nobody works on what was begun: {named}");
        checks.push(warning(NAME, found, format!("{gatewright} run --resume all")));
    }
    let paused = interrupted::list_paused(&*data.store).await?;
    let paused: Vec<Pipeline> = paused.into_iter().map(|(pipeline, _)| pipeline).collect();
    if let Some(named) = named(data, &paused, false).await? {
        let found = format!("a person paused what has an agent at work: {named}");
        let mend = format!("{gatewright} run --resume ITEM, or {gatewright} pipeline cancel ITEM");
        checks.push(warning(NAME, found, mend));
    }
    Ok(checks)
}

/// The items of these pipelines, and which of them have an agent that lives; `all` of them, or those alone.
async fn named(
    data: &Opened,
    pipelines: &[Pipeline],
    all: bool,
) -> Result<Option<String>, CliError> {
    let mut named = Vec::new();
    for pipeline in pipelines {
        let states = vec![JobStateTag::Queued, JobStateTag::Running];
        let filter = JobFilter { pipeline: Some(pipeline.id), states };
        let jobs = data.store.list_jobs(&filter).await?;
        let agents = attendance::agents(data, &jobs).await?;
        let key = &pipeline.item.key;
        if agents.values().any(|(_, lives)| *lives) {
            named.push(format!("{key} (its agent is alive)"));
        } else if all && matches!(pipeline.state, PipelineState::Queued) {
            named.push(format!("{key} (never started)"));
        } else if all {
            named.push(key.to_string());
        }
    }
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    named.extend((more > 0).then(|| format!("{more} more")));
    Ok((!named.is_empty()).then(|| named.join(", ")))
}
