//! Identifiers: one type each, prefixed in text, sortable by creation.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not an identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not an id of the form `{expected}_…`")]
pub struct ParseIdError {
    /// The prefix that was expected.
    pub expected: &'static str,
    /// What was given.
    pub found: String,
}

macro_rules! id_type {
    ($(#[$attribute:meta])* $name:ident, $prefix:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID, version 7 where it is to sort by creation.
            #[must_use]
            pub const fn from_uuid(value: Uuid) -> Self {
                Self(value)
            }

            /// For fixtures and tables: the same number gives the same id.
            #[must_use]
            pub const fn from_u128(value: u128) -> Self {
                Self(Uuid::from_u128(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", Self::PREFIX, self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let error = || ParseIdError { expected: Self::PREFIX, found: text.to_owned() };
                let rest = text.strip_prefix(Self::PREFIX).and_then(|rest| rest.strip_prefix('_'));
                let digits = rest.filter(|rest| rest.len() == 32).ok_or_else(error)?;
                Uuid::try_parse(digits).map(Self).map_err(|_| error())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    /// One item's way through a definition.
    PipelineId, "pl"
);
id_type!(
    /// One row of the queue.
    JobId, "job"
);
id_type!(
    /// One invocation of an agent; also the name of its sandbox.
    RunId, "run"
);
id_type!(
    /// One question to a person.
    DecisionId, "dec"
);
id_type!(
    /// One event on its way to one destination.
    LetterId, "ltr"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = PipelineId::from_u128(7);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_both_named() {
        let run = RunId::from_u128(7).to_string();
        let error = run.parse::<PipelineId>().expect_err("a run is no pipeline");
        assert_eq!(error.to_string(), format!("`{run}` is not an id of the form `pl_…`"));
    }
}
