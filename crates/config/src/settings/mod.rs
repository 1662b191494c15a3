//! The sections of `gatewright.toml`, one type each. Their doc comments are the descriptions in the schema.

mod agent;
mod destination;
mod gate;
mod integration;
mod limits;
mod project;
mod sandbox;
mod server;
mod top;

pub use agent::{AgentKind, AgentSettings, SecretMissing};
pub use destination::{DestinationKind, DestinationSettings, EventName};
pub use gate::GateSettings;
pub use integration::{ForgeKind, ForgeSettings, ProviderSettings, TrackerKind, TrackerSettings};
pub use limits::LimitSettings;
pub use project::{MergeChoice, MergeSettings, ProjectSettings, ProjectTable, RoleSettings};
pub use sandbox::{SandboxChoice, SandboxSettings};
pub use server::ServerSettings;
pub use top::Config;
