//! Removes workspaces that an end has left behind.
//!
//! A pipeline that ends has its workspaces removed by a job. That job may be given up, because it ended the process each
//! time; and who was late may open one afterwards, and be gone before it tidies up.

use std::sync::Arc;

use domain::{
    id::PipelineId,
    job::JobStateTag,
    limits::{SWEEPS_MAX, WORKSPACES_LOOKED_AT_MAX},
    pipeline::{Pipeline, PipelineState},
};
use ports::{JobFilter, Store, StoreError};
use tokio::task::JoinSet;

use crate::{Engine, EngineError, chain};

impl Engine {
    /// Looks for workspaces that were left behind, and removes them: beside the loop, since a directory may be large. One at
    /// a time; where the last look is not over yet, there is none.
    pub(crate) fn sweep_beside(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        let Ok(mut swept) = Arc::clone(&self.swept).try_lock_owned() else { return };
        let engine = Arc::clone(self);
        tasks.spawn(async move {
            let looked = tokio::select! {
                biased;
                // Nobody waits for it: the next look goes on.
                () = engine.told_to_stop() => return,
                looked = engine.sweep(&mut swept) => looked,
            };
            if let Err(error) = looked {
                tracing::error!(
                    "could not look for workspaces that were left behind: {}",
                    chain(&error)
                );
            }
        });
    }

    /// Looks at some, from behind those that were looked at before.
    async fn sweep(&self, swept: &mut Option<PipelineId>) -> Result<(), EngineError> {
        let names = self.ports.git.list_workspaces(&self.layout.all_workspaces()).await?;
        let mut ids: Vec<PipelineId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort();
        let begin = swept.map_or(0, |last| ids.partition_point(|id| *id <= last));
        ids.rotate_left(begin);
        ids.truncate(WORKSPACES_LOOKED_AT_MAX);
        for id in ids {
            *swept = Some(id);
            match self.is_left_behind(id).await {
                Ok(true) => self.sweep_one(id).await,
                Ok(false) => {}
                // It is parked, or will be.
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the workspaces of a pipeline are left behind, and no worker of this process that is late may want them.
    async fn is_left_behind(&self, id: PipelineId) -> Result<bool, EngineError> {
        if find_left_behind(&*self.ports.store, id).await?.is_none() {
            return Ok(false);
        }
        // Asked for last: nobody begins to work for what has ended.
        let is_here = |job: &crate::worker::Running| job.pipeline == id;
        Ok(!self.running.lock().expect("no holder panics").values().any(is_here))
    }

    /// Removes the workspaces of a pipeline. What cannot be removed keeps no other.
    async fn sweep_one(&self, id: PipelineId) {
        let dir = self.layout.workspaces(id);
        match self.ports.git.sweep_workspace(&dir, SWEEPS_MAX).await {
            Ok(true) => tracing::info!(pipeline.id = %id, "removed {dir}, which its end had left"),
            Ok(false) => {
                tracing::debug!(pipeline.id = %id, "{dir} stays: removing it never came to an end");
            }
            Err(error) => {
                tracing::warn!(pipeline.id = %id, "could not remove {dir}: {}", chain(&error));
            }
        }
    }
}

/// A pipeline that has ended for good and leaves behind what is in its workspaces: no job of it may want them or will remove
/// them, and what its agents left there is kept.
pub async fn find_left_behind(
    store: &dyn Store,
    id: PipelineId,
) -> Result<Option<Pipeline>, StoreError> {
    let Some(pipeline) = store.find_pipeline(id).await? else { return Ok(None) };
    match pipeline.state {
        PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. } => {}
        // A pipeline that failed may be tried again.
        PipelineState::Queued
        | PipelineState::Running { .. }
        | PipelineState::AwaitingHuman { .. }
        | PipelineState::Blocked { .. }
        | PipelineState::Paused { .. }
        | PipelineState::Failed { .. } => return Ok(None),
    }
    let states = vec![JobStateTag::Queued, JobStateTag::Running];
    let filter = JobFilter { pipeline: Some(id), states };
    if !store.list_jobs(&filter).await?.is_empty() {
        return Ok(None);
    }
    let is_kept = store.list_runs(id).await?.iter().all(|run| run.ended_at.is_some());
    Ok(is_kept.then_some(pipeline))
}
