//! The log of what happened.

use domain::{
    id::PipelineId,
    pipeline::{Event, EventKindTag},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventView {
    /// Counts over all pipelines: `after` of the next question.
    pub seq: u64,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Counts in the pipeline, from 1, without a gap.
    pub number: u64,
    /// The pipeline's version after it.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who or what brought it about: a person's name, a job, `timer`, `engine`.
    pub actor: String,
    /// What happened: `sent_back`.
    pub event: String,
    /// What is known of it. The names in here are those of the log, which is kept for good.
    pub data: Value,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let Event { seq, pipeline, number, version, at, actor, kind } = event;
        let mut data = serde_json::to_value(kind).unwrap_or_default();
        // It has a place of its own.
        if let Some(fields) = data.as_object_mut() {
            fields.remove("event");
        }
        Self {
            seq: *seq,
            pipeline: *pipeline,
            number: *number,
            version: *version,
            at: *at,
            actor: actor.to_string(),
            event: EventKindTag::from(kind).to_string(),
            data,
        }
    }
}
