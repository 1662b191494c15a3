//! `[sandbox]`

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where agents and gate commands run, and what they see there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// The isolation. `auto` takes the strongest that this machine has.
    pub backend: SandboxChoice,
    /// Places of the host that can be read inside, beyond the system: toolchains, mostly. `~` is the home directory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub read: Vec<Utf8PathBuf>,
    /// Environment variables for everything that runs inside.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Where programs are looked up inside, in place of the `PATH` that gatewright was started with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The sandbox backends.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(extend("x-planned" = ["container", "kubernetes"]))]
pub enum SandboxChoice {
    /// The strongest that works here; never `process`.
    #[default]
    Auto,
    /// A clean environment and limits, no wall: for agents that you trust like yourself.
    Process,
    /// Linux namespaces: a read-only system, a private home, the workspace the only writable place.
    Bubblewrap,
}
