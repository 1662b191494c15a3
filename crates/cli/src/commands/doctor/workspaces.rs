//! What pipelines have left on the disk that nobody sees to.

use api::CheckView;
use camino::Utf8Path;
use config::Loaded;
use engine::Layout;
use ports::{Store, StoreError};

use super::warning;
use crate::{
    called::gatewright,
    commands::workspaces::{list_clean_ups, list_left_behind},
    context::{Context, try_open_for_reading},
};

/// Directories that are named; there may be many.
const DIRS_MAX: usize = 5;

/// A warning for each workspace that was left behind, for each that holds what is not kept, and for clean-ups that nobody
/// does. Where the database cannot be asked, its own check says so.
pub(super) async fn checks(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let data_dir = context.data_dir(loaded);
    let Ok(store) = try_open_for_reading(&data_dir) else { return Vec::new() };
    let Ok(left) = list_left_behind(&*store, &data_dir).await else { return Vec::new() };
    let mend = format!(
        "{} run --resume all removes it; where it stays, its removal never came to an end: remove it yourself",
        gatewright()
    );
    let told = left.iter().map(|(item, dir)| {
        warning("workspaces", format!("{dir} is left of {item}, which has ended"), mend.clone())
    });
    let mut checks = some_of(told.collect());
    // A process that is there sees to the rest.
    if !matches!(store_sqlite::find_holder(&data_dir), Ok(None)) {
        return checks;
    }
    if let Ok(unkept) = unkept(&*store, &data_dir, loaded).await {
        checks.extend(some_of(unkept));
    }
    if let Ok(Some(found)) = abandoned(&*store).await {
        checks.push(warning("workspaces", found, format!("{} run --resume all", gatewright())));
    }
    checks
}

/// The first of them, and how many more there are.
fn some_of(mut checks: Vec<CheckView>) -> Vec<CheckView> {
    let more = checks.len().saturating_sub(DIRS_MAX);
    if let Some(next) = checks.get_mut(DIRS_MAX) {
        next.found = format!("{more} more");
        checks.truncate(DIRS_MAX + 1);
    }
    checks
}

/// The workspaces of agents that nobody waits for any more, with what was not handed in.
async fn unkept(
    store: &dyn Store,
    data_dir: &Utf8Path,
    loaded: &Loaded,
) -> Result<Vec<CheckView>, StoreError> {
    let layout = Layout::new(data_dir.to_owned());
    let mut checks = Vec::new();
    for run in store.list_orphaned_runs().await? {
        let dir = layout.workspace(run.pipeline, &run.role);
        let item = match store.find_pipeline(run.pipeline).await {
            Ok(Some(pipeline)) if dir.exists() => pipeline.item.key,
            // It is parked, and named by whoever lists what is damaged.
            Ok(_) | Err(StoreError::Inconsistent { .. }) => continue,
            Err(error) => return Err(error),
        };
        let keep = format!("{} run --resume all keeps it", gatewright());
        let mend = match loaded.config.find_agent(&run.agent) {
            Some(_) => keep,
            None => format!("configure agent `{}`, which left it; then {keep}", run.agent),
        };
        let found = format!("{dir} holds work of {} for {item} that was not kept", run.id);
        checks.push(warning("workspaces", found, mend));
    }
    Ok(checks)
}

/// The clean-ups that have not come to their end.
async fn abandoned(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let mut items = Vec::new();
    for id in list_clean_ups(store).await? {
        match store.find_pipeline(id).await {
            Ok(pipeline) => items.extend(pipeline.map(|it| it.item.key.to_string())),
            // It is parked, and named by whoever lists what is damaged.
            Err(StoreError::Inconsistent { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let count = items.len();
    items.truncate(DIRS_MAX);
    let more = count.checked_sub(DIRS_MAX + 1).map(|more| format!("{} more", more + 1));
    let named = items.into_iter().chain(more).collect::<Vec<_>>().join(", ");
    let found = format!("nobody cleans up behind what has ended: {named}");
    Ok((count > 0).then_some(found))
}
