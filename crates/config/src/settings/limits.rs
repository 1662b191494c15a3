//! `[limits]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much may happen at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Agents and gates that work at the same time. Default: the number of processor cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<NonZeroU32>,
    /// How many of them may work for one project. Default: no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_project: Option<NonZeroU32>,
    /// How many runs of one kind of agent there may be. Default: no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_agent: Option<NonZeroU32>,
}
