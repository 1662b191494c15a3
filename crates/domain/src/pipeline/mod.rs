//! A pipeline: one item's way through a definition.
//!
//! [`decide()`] is the only place that knows what may happen to a pipeline. Workers, timers, people and reconcilers
//! only produce [`Input`]s; whatever follows is in the [`Decided`] that the engine saves in one transaction.

mod decide;
mod effect;
mod event;
mod input;
mod new;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{Context, Decided, Refusal, decide};
pub use effect::{Effect, NewJob, TimerKey};
pub use event::{Event, EventKind, EventKindTag};
pub use input::{Actor, AgentReport, Input, InputTag, MergeReport, Report, ReportTag};
pub use new::NewPipeline;
pub use state::{
    AttemptState, Block, Candidate, Delivered, Delivery, Pipeline, PipelineFailure,
    PipelineOptions, PipelineState, PipelineStateTag, RoleProgress, StageAttempt, Step,
};
