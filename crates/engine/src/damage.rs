//! Pipelines with a row that cannot be: parked, told of once, and left alone until somebody has mended it.

use std::collections::BTreeSet;

use domain::id::PipelineId;
use ports::DamagedRow;

use crate::{Engine, EngineError, chain};

/// What this process knows of damage.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    /// Pipelines that the store gives nothing out of.
    in_store: BTreeSet<PipelineId>,
    /// Pipelines that a call met damage in which no look finds.
    left_alone: BTreeSet<PipelineId>,
    /// Rows that were told of.
    told: BTreeSet<DamagedRow>,
    /// Pipelines that were said to be left alone.
    told_alone: BTreeSet<PipelineId>,
}

impl Engine {
    /// Looks for damage, parks what has any, and takes up again what was mended.
    pub(crate) async fn park_damaged(&self) -> Result<(), EngineError> {
        let found = self.ports.store.park_damaged(self.ports.clock.now()).await?;
        let mut parked = self.parked.lock().expect("no holder panics");
        parked.in_store = found.iter().filter_map(|row| row.pipeline.parse().ok()).collect();
        for row in found {
            let DamagedRow { table, row: id, pipeline, what } = &row;
            if parked.told.insert(row.clone()) {
                tracing::error!(
                    pipeline.id = pipeline,
                    table,
                    row.id = id,
                    "{table} {id} is damaged and its pipeline is parked: {what}"
                );
            }
        }
        Ok(())
    }

    /// Looks again where anything was damaged: somebody may have mended it. What no look confirms is tried again.
    pub(crate) async fn look_again_at_damage(&self) -> Result<(), EngineError> {
        let knows_of_any = {
            let parked = self.parked.lock().expect("no holder panics");
            !(parked.in_store.is_empty() && parked.left_alone.is_empty())
        };
        if knows_of_any {
            self.park_damaged().await?;
            self.parked.lock().expect("no holder panics").left_alone.clear();
        }
        Ok(())
    }

    /// Parks a pipeline that a call met damage in, and says whether the store knows of it now. It is left alone also
    /// where no look finds what the call met.
    pub(crate) async fn park(&self, pipeline: PipelineId, met: &EngineError) -> bool {
        if let Err(error) = self.park_damaged().await {
            tracing::error!(pipeline.id = %pipeline, "could not park a damaged pipeline: {}", chain(&error));
        }
        let mut known = self.parked.lock().expect("no holder panics");
        let is_parked = known.in_store.contains(&pipeline);
        if !is_parked && known.left_alone.insert(pipeline) && known.told_alone.insert(pipeline) {
            tracing::error!(pipeline.id = %pipeline, "a damaged pipeline is left alone: {}", chain(met));
        }
        is_parked
    }

    /// Whether the store gives nothing of this pipeline out.
    pub(crate) fn is_parked(&self, pipeline: PipelineId) -> bool {
        self.parked.lock().expect("no holder panics").in_store.contains(&pipeline)
    }

    /// Whether nothing is to be tried for this pipeline.
    pub(crate) fn is_left_alone(&self, pipeline: PipelineId) -> bool {
        let known = self.parked.lock().expect("no holder panics");
        known.in_store.contains(&pipeline) || known.left_alone.contains(&pipeline)
    }
}
