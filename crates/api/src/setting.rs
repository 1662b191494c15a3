//! What is configured.

use serde::Serialize;

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingView {
    /// Its key: `limits.max_concurrency`.
    pub key: String,
    /// Its value as TOML would have it, secrets masked.
    pub value: String,
    /// Where it comes from: `gatewright.toml:3`, a variable, a flag, `default`.
    pub origin: String,
}
