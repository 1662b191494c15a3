//! What pipelines that have ended have left on the disk.

use api::CheckView;
use config::Loaded;

use super::warning;
use crate::{
    called::gatewright,
    commands::workspaces::list_left_behind,
    context::{Context, try_open_for_reading},
};

/// Directories that are named; there may be many.
const DIRS_MAX: usize = 5;

/// A warning for each workspace that was left behind. Where the database cannot be asked, its own check says so.
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
    told.chain(more).map(|found| warning("workspaces", found, mend.clone())).collect()
}
