//! `[gates]`

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::TimeText;

/// What a project says about a gate of its definition. It wins over what the definition says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GateSettings {
    /// The command, a shell line, that exits 0 when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The longest time that it may take. Default: 10m.
    #[serde(
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<TimeText>")]
    pub time_limit: Option<Duration>,
    /// Patterns of files that a branch must not delete. Default, for the gate `tests`: what usually holds tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<String>>,
}
