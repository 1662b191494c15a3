//! What pipelines have left behind that nobody works on any more: it is handed in, and removed. A process that has other
//! work does it along the way.

use std::{collections::BTreeSet, sync::Arc};

use domain::{id::PipelineId, pipeline::PipelineStateTag};
use engine::AtRest;
use ports::{PipelineFilter, Store as _, StoreError};
use store_sqlite::SqliteStore;

use crate::{
    commands::{
        data::Opened,
        drive::{AtWork, Drive},
        steering, workspaces,
    },
    context::Context,
    error::CliError,
    output,
};

/// Hands in what agents left that nobody waits for, and does the clean-ups that are due.
pub(super) async fn clean_up(
    context: &Context,
    drive: &Drive,
    data: &Opened,
) -> Result<(), CliError> {
    let store = &*data.store;
    let due = list_clean_ups(store).await?;
    let left: BTreeSet<PipelineId> =
        store.list_orphaned_runs().await?.iter().map(|run| run.pipeline).collect();
    let workspaces = workspaces::list_left_behind(store, &data.data_dir).await?;
    if due.is_empty() && left.is_empty() && workspaces.is_empty() {
        return Ok(());
    }
    let Some(engine) = drive.unless_stopped(steering::engine(context, data)).await else {
        return Ok(());
    };
    let engine = engine?;
    for id in &left {
        let pipeline = match store.find_pipeline(*id).await {
            Ok(Some(pipeline)) => pipeline,
            // It is parked, and named by whoever lists what is damaged.
            Ok(None) | Err(StoreError::Inconsistent { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let engine = Arc::clone(&engine);
        steering::stop_left_behind(context, drive, data, engine, &pipeline).await?;
        if drive.is_stopped() {
            return Ok(());
        }
    }
    workspaces::warn_of_given_up(store, &data.data_dir).await?;
    if (due.is_empty() && workspaces.is_empty()) || !is_all_that_is_left(store, &due).await? {
        return Ok(());
    }
    let work = async |stop| engine.run(stop, AtRest::Return).await;
    drive.work(AtWork::Chores, store, work).await?;
    let left = workspaces::list_left_behind(store, &data.data_dir).await?.len();
    let done =
        (due.len() + workspaces.len()).saturating_sub(list_clean_ups(store).await?.len() + left);
    if done > 0 && !context.global.quiet {
        let what = if done == 1 { "a pipeline".to_owned() } else { format!("{done} pipelines") };
        output::say(format_args!("cleaned up behind {what} that had ended"));
    }
    Ok(())
}

/// Pipelines whose clean-up waits to be done, or was under way when its process ended: this one has the directory alone.
async fn list_clean_ups(store: &SqliteStore) -> Result<BTreeSet<PipelineId>, CliError> {
    Ok(workspaces::list_clean_ups(store).await?.into_iter().collect())
}

/// Whether an engine that knows no agents does harm to nobody: no pipeline runs that could want one, and what agents of
/// these pipelines left is kept.
async fn is_all_that_is_left(
    store: &SqliteStore,
    due: &BTreeSet<PipelineId>,
) -> Result<bool, CliError> {
    let states = vec![PipelineStateTag::Running];
    let filter = PipelineFilter { states, ..PipelineFilter::default() };
    if !store.list_pipelines(&filter).await?.is_empty() {
        return Ok(false);
    }
    let open = store.list_orphaned_runs().await?;
    Ok(!open.iter().any(|run| due.contains(&run.pipeline)))
}
