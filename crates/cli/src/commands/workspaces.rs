//! Workspaces that are left behind, for whoever looks: `run` keeps what is in them and removes them along the way.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    id::PipelineId,
    item::ItemKey,
    job::{Job, JobKind, JobState, JobStateTag},
    pipeline::{Pipeline, PipelineState},
    run::Run,
};
use engine::{Layout, find_left_behind, was_given_up};
use ports::{JobFilter, Store, StoreError};

use super::backup::cannot;
use crate::{called::gatewright, error::CliError, output};

/// A workspace with what an agent left that nobody waits for any more, and that was not handed in.
pub(crate) struct Unkept {
    pub(crate) pipeline: Pipeline,
    pub(crate) run: Run,
    pub(crate) dir: Utf8PathBuf,
    /// Where trying to has ended the process time and again, so that nobody does unasked: what keeps it.
    pub(crate) way_out: Option<String>,
}

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

/// The workspaces of agents that nobody waits for any more, with what was not handed in.
pub(crate) async fn list_unkept(
    store: &dyn Store,
    data_dir: &Utf8Path,
) -> Result<Vec<Unkept>, StoreError> {
    let layout = Layout::new(data_dir.to_owned());
    let mut unkept = Vec::new();
    for run in store.list_orphaned_runs().await? {
        let dir = layout.workspace(run.pipeline, &run.role);
        let pipeline = match store.find_pipeline(run.pipeline).await {
            Ok(Some(pipeline)) if dir.exists() => pipeline,
            // It is parked, and named by whoever lists what is damaged.
            Ok(_) | Err(StoreError::Inconsistent { .. }) => continue,
            Err(error) => return Err(error),
        };
        let filter = JobFilter { pipeline: Some(run.pipeline), states: Vec::new() };
        let jobs = store.list_jobs(&filter).await?;
        let is_given_up = jobs.iter().any(|job| job.id == run.job && was_given_up(job, &run));
        let way_out = is_given_up.then(|| way_out(&pipeline, &jobs));
        unkept.push(Unkept { pipeline, run, dir, way_out });
    }
    Ok(unkept)
}

/// Says what nobody keeps unasked.
pub(crate) async fn warn_of_given_up(
    store: &dyn Store,
    data_dir: &Utf8Path,
) -> Result<(), StoreError> {
    for Unkept { pipeline, run: _, dir, way_out } in list_unkept(store, data_dir).await? {
        if let Some(way_out) = way_out {
            let item = &pipeline.item.key;
            output::warn(format_args!(
                "what the agent of {item} left stays in {dir}: keeping it has ended the process time and again; {way_out}"
            ));
        }
    }
    Ok(())
}

/// Who keeps what nobody keeps unasked: whoever is to remove it, or to work in its place, must.
fn way_out(pipeline: &Pipeline, jobs: &[Job]) -> String {
    let (gatewright, item) = (gatewright(), &pipeline.item.key);
    let is_live =
        |job: &Job| matches!(job.state, JobState::Queued { .. } | JobState::Running { .. });
    if jobs.iter().any(|job| is_live(job) && job.slot.work.kind() == JobKind::Cleanup) {
        return format!("{gatewright} run --resume {item} tries once more, before it is removed");
    }
    match pipeline.state {
        PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. } => {
            "take out of it what you want, then remove it yourself".to_owned()
        }
        PipelineState::Failed { .. } => format!(
            "{gatewright} pipeline retry {item}, then {gatewright} run --resume {item} tries once more"
        ),
        PipelineState::Queued
        | PipelineState::Running { .. }
        | PipelineState::AwaitingHuman { .. }
        | PipelineState::Blocked { .. }
        | PipelineState::Paused { .. } => format!(
            "whoever works there next tries once more: {gatewright} pipeline show {item} --why says what moves it"
        ),
    }
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
