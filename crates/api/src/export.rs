//! Everything about one pipeline, for whoever keeps it elsewhere.

use domain::id::PipelineId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{DamageView, DecisionView, EventView, JobView, PipelineView, RunView, VerdictView};

/// The form of [`ExportView`]. Raised when a field changes its meaning or goes away, not when one comes.
pub const EXPORT_VERSION: u32 = 1;

/// Everything about one pipeline. What cannot be read is absent, and named in `damaged`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExportView {
    /// `gatewright-export`.
    pub format: &'static str,
    /// [`EXPORT_VERSION`].
    pub version: u32,
    /// Which program wrote it.
    pub gatewright: &'static str,
    /// When.
    pub exported_at: Timestamp,
    /// The pipeline's id.
    pub id: PipelineId,
    /// What a person sees of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineView>,
    /// Its item and state, whole, as they are remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
    /// The definition that it is pinned to, as it is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
    /// Its log, oldest first.
    pub events: Vec<EventView>,
    /// The runs of agents, oldest first.
    pub runs: Vec<RunView>,
    /// The verdicts, oldest first.
    pub verdicts: Vec<VerdictView>,
    /// The questions to people, oldest first.
    pub decisions: Vec<DecisionView>,
    /// Its jobs, oldest first.
    pub jobs: Vec<JobView>,
    /// Files with what agents printed and what stands behind verdicts, as far as they are there.
    pub logs: Vec<String>,
    /// What cannot be read.
    pub damaged: Vec<DamageView>,
}
