//! Pipeline definitions: stages, who works in them, what must hold to leave them, where to go then.
//!
//! Data only. The file format and its errors with line numbers live in `config`; what a definition *means* is
//! decided by [`crate::pipeline`].

mod check;
mod gate;
mod role;
mod stage;

use std::{fmt, time::Duration};

pub use check::{DefinitionError, Flaw, Known, Place, check};
pub use gate::{Check, Gate, GateKind};
pub use role::Role;
use serde::{Deserialize, Serialize};
pub use stage::{Action, Mode, Network, Push, Route, Stage, Then, WaveFailure, WorkspaceAccess};

use crate::name::{DefinitionName, StageName};

/// The SHA-256 of a definition's canonical JSON, in hexadecimal: a running pipeline pins it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DefinitionHash(pub String);

impl fmt::Display for DefinitionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Limits of a whole pipeline; an absent one does not limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineLimits {
    /// From start to end, waiting for people included.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub wall_time: Option<Duration>,
    /// All tokens of all runs, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars, where agents report them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// A pipeline definition, checked: every stage named in it exists, every gate has what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name.
    pub name: DefinitionName,
    /// What it is for, one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The first stage.
    pub start: StageName,
    /// Limits of the whole pipeline.
    #[serde(default)]
    pub limits: PipelineLimits,
    /// The stages in reading order.
    pub stages: Vec<Stage>,
}

impl Definition {
    /// The stage of that name.
    #[must_use]
    pub fn find_stage(&self, name: &StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == *name)
    }

    /// The stage from which `name` is reached when everything passes; the first one in reading order.
    #[must_use]
    pub fn stage_before(&self, name: &StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.on_pass.as_ref() == Some(name))
    }
}
