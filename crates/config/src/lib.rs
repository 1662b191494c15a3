//! Files people write: `gatewright.toml`, pipeline definitions, roles. Parse, validate, explain.
//!
//! Must not look around by itself: the environment, the home directory and the number of cores are arguments.

mod document;
mod key_path;
mod nearest;
mod problem;
mod secret;
mod shape;
mod time;

mod check;
mod load;
mod overrides;
pub mod settings;
mod show;

pub mod definition;
pub mod detect;
pub mod init;
pub mod roles;

pub use load::{ConfigError, Loaded, Surroundings, load, parse, schema};
pub use overrides::Flag;
pub use problem::{Position, Problem, Problems};
pub use secret::SecretRef;
pub use settings::{
    AgentKind, AgentSettings, Config, DestinationKind, DestinationSettings, ProjectSettings,
    SandboxChoice,
};
pub use show::{Origin, Setting};
