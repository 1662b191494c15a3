//! Workspaces that an end has left behind, for whoever looks: `run` removes them along the way.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    id::PipelineId,
    item::ItemKey,
    job::{JobKind, JobStateTag},
};
use engine::{Layout, find_left_behind};
use ports::{JobFilter, Store, StoreError};

use super::backup::cannot;
use crate::error::CliError;

/// The workspaces that pipelines have left behind, with the items that they were for.
pub(crate) async fn list_left_behind(
    store: &dyn Store,
    data_dir: &Utf8Path,
) -> Result<Vec<(ItemKey, Utf8PathBuf)>, CliError> {
    let layout = Layout::new(data_dir.to_owned());
    let place = layout.all_workspaces();
    let mut left = Vec::new();
    for id in list(&place).map_err(cannot("read", &place))? {
        match find_left_behind(store, id).await {
            Ok(found) => left.extend(found.map(|it| (it.item.key, layout.workspaces(id)))),
            // It is parked, and named by whoever lists what is damaged.
            Err(StoreError::Inconsistent { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(left)
}

/// The pipelines whose clean-up has not come to its end, whoever has it.
pub(crate) async fn list_clean_ups(store: &dyn Store) -> Result<Vec<PipelineId>, StoreError> {
    let states = vec![JobStateTag::Queued, JobStateTag::Running];
    let jobs = store.list_jobs(&JobFilter { pipeline: None, states }).await?.into_iter();
    let clean_ups = jobs.filter(|job| job.slot.work.kind() == JobKind::Cleanup);
    Ok(clean_ups.map(|job| job.pipeline).collect())
}

/// Pipelines that have workspaces, in order.
fn list(place: &Utf8Path) -> io::Result<Vec<PipelineId>> {
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut ids = Vec::new();
    for entry in entries {
        ids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<PipelineId>().ok()));
    }
    ids.sort();
    Ok(ids)
}
