//! What pipelines that have ended have left on the disk.

use api::CheckView;
use camino::Utf8Path;
use config::Loaded;
use ports::{Store, StoreError};

use super::warning;
use crate::{
    called::gatewright,
    commands::workspaces::{list_clean_ups, list_left_behind},
    context::{Context, try_open_for_reading},
};

/// Directories that are named; there may be many.
const DIRS_MAX: usize = 5;

/// A warning for each workspace that was left behind, and for clean-ups that nobody does. Where the database cannot be asked, its
/// own check says so.
pub(super) async fn checks(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let data_dir = context.data_dir(loaded);
    let Ok(store) = try_open_for_reading(&data_dir) else { return Vec::new() };
    let Ok(left) = list_left_behind(&*store, &data_dir).await else { return Vec::new() };
    let mend = format!(
        "{} run --resume all removes it; where it stays, its removal never came to an end: remove it yourself",
        gatewright()
    );
    let told = left.iter().take(DIRS_MAX);
    let told = told.map(|(item, dir)| format!("{dir} is left of {item}, which has ended"));
    let more = left.len().checked_sub(DIRS_MAX + 1).map(|more| format!("{} more", more + 1));
    let mut checks: Vec<_> =
        told.chain(more).map(|found| warning("workspaces", found, mend.clone())).collect();
    if let Ok(Some(found)) = abandoned(&*store, &data_dir).await {
        checks.push(warning("workspaces", found, format!("{} run --resume all", gatewright())));
    }
    checks
}

/// The clean-ups that have not come to their end, where no process is there that would do them.
async fn abandoned(store: &dyn Store, data_dir: &Utf8Path) -> Result<Option<String>, StoreError> {
    if store_sqlite::find_holder(data_dir)?.is_some() {
        return Ok(None);
    }
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
