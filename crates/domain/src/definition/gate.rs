//! What a gate checks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Route;
use crate::name::GateName;

/// A gate of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name, unique in its stage.
    pub name: GateName,
    /// What it looks at.
    pub check: Check,
    /// Its own route in place of the stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<Route>,
}

/// The kinds of gates. `{item}` in paths stands for the item's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(GateKind),
    derive(strum::Display, strum::EnumString, strum::VariantNames),
    strum(serialize_all = "snake_case")
)]
pub enum Check {
    /// The named files exist, are not empty and are well-formed for their kind.
    Artifacts {
        /// Globs that must each match a file.
        all_of: Vec<String>,
        /// Globs of which at least one must match; empty asks for none.
        any_of: Vec<String>,
    },
    /// The file does not exist; where it does, its text is the finding.
    Absent {
        /// The file.
        path: String,
    },
    /// The file does not exist; where it does, its text is a question to a person.
    Questions {
        /// The file.
        path: String,
    },
    /// The command exits 0 on a clean checkout.
    Command {
        /// A shell command line.
        run: String,
        /// Longest time that it may take.
        #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
        time_limit: Duration,
        /// Globs of files that the branch must not delete: the tests, mostly.
        keep: Vec<String>,
    },
    /// The front matter of a review says `verdict: APPROVED`.
    Verdict {
        /// The review.
        path: String,
    },
    /// The front matter of a report says `result: PASS`.
    Report {
        /// The report.
        path: String,
    },
    /// A person approves the commit.
    Approval {
        /// What the person is asked.
        question: String,
        /// Files to show.
        show: Vec<String>,
    },
}

impl Check {
    /// Files that must exist for this check to pass.
    pub fn artifacts(&self) -> impl Iterator<Item = &String> {
        let (many, one) = match self {
            Self::Artifacts { all_of, any_of } => (Some(all_of.iter().chain(any_of)), None),
            Self::Verdict { path } | Self::Report { path } => (None, Some(path)),
            Self::Absent { .. }
            | Self::Questions { .. }
            | Self::Command { .. }
            | Self::Approval { .. } => (None, None),
        };
        many.into_iter().flatten().chain(one)
    }

    /// Whether a person answers, not a program.
    #[must_use]
    pub const fn asks_a_person(&self) -> bool {
        matches!(self, Self::Approval { .. })
    }
}
