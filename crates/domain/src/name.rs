//! Names that people give: projects, stages, roles, gates, agents.
//!
//! They end up in paths, branch names, sandbox names and SQL, so what they may contain is settled once, here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest accepted name, in bytes: a sandbox name holds at most 63.
pub const NAME_LEN_MAX: usize = 48;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a {what} name: use 1 to {NAME_LEN_MAX} of a-z, A-Z, 0-9, `-`, `_`, `.`, starting with a letter or digit"
)]
pub struct ParseNameError {
    /// Which kind of name was expected.
    pub what: &'static str,
    /// What was given.
    pub found: String,
}

fn is_name(text: &str) -> bool {
    text.len() <= NAME_LEN_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !text.contains("..")
}

macro_rules! name_type {
    ($(#[$attribute:meta])* $name:ident, $what:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps `text`.
            pub fn new(text: impl Into<String>) -> Result<Self, ParseNameError> {
                let text = text.into();
                if is_name(&text) { Ok(Self(text)) } else { Err(ParseNameError { what: $what, found: text }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// The key of a project, also the prefix of its work items: `ET`.
    ProjectKey, "project"
);
name_type!(
    /// The name of a pipeline definition: `delivery`.
    DefinitionName, "definition"
);
name_type!(
    /// A stage of a definition: `review`.
    StageName, "stage"
);
name_type!(
    /// Who acts in a stage: `developer`.
    RoleName, "role"
);
name_type!(
    /// A gate of a stage: `tests`.
    GateName, "gate"
);
name_type!(
    /// A configured coding agent: `claude`.
    AgentName, "agent"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_are_refused() {
        for bad in ["", "..", "a/b", "a..b", "-x", ".x", "a b", "é", "a\0", &"a".repeat(49)] {
            assert!(StageName::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in ["a", "task-planner", "v1.2", "A_b"] {
            assert!(StageName::new(good).is_ok(), "{good:?} was refused");
        }
    }
}
