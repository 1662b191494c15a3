//! Wire types: the only serde types a client sees, and what is read out of the log of events to fill them.
//!
//! A view is made of domain values with `From`, never the other way round, and says what is true in the words of
//! the domain. Times are RFC 3339, durations whole milliseconds, ids opaque strings. What is absent is left out.

mod pipeline;
mod reason;
mod timeline;

mod decision;
mod event;
mod explanation;
mod log;
mod run;
mod usage;
mod verdict;

mod definition;
mod outbox;
mod queue;

mod agent;
mod backup;
mod breaker;
mod check;
mod damage;
mod export;
mod problem;
mod process;
mod setting;

pub use agent::{AgentView, ResumedView, ScenarioView};
pub use backup::{BackupView, RestoreView, UnfinishedView};
pub use breaker::BreakerView;
pub use check::{CheckState, CheckView};
pub use damage::DamageView;
pub use decision::{AnswerView, DecisionView};
pub use definition::{DefinitionView, GateView, LimitsView, RouteView, StageDefinitionView};
pub use event::EventView;
pub use explanation::{ExplanationView, MoverView, OccupantView};
pub use export::{EXPORT_VERSION, ExportView};
use jiff::Timestamp;
pub use log::LogEventView;
pub use outbox::{DeliveryView, LetterView, OutboxView};
pub use pipeline::{PipelineDetailView, PipelineView};
pub use problem::{PlaceView, Problem};
pub use process::{ProcessState, ProcessView};
pub use queue::{CapsView, JobView, LeaseView, QueueView};
pub use reason::reason;
pub use run::{RunState, RunView};
pub use setting::SettingView;
pub use timeline::{GateAnswerView, StageView, sent_back, timeline};
pub use usage::UsageView;
pub use verdict::{FindingView, VerdictView};

/// Whole milliseconds from one time to another; 0 where the clock went back.
fn millis_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
