//! Names that people give: projects, stages, roles, gates, agents, destinations.
//!
//! They end up in paths, branch names, sandbox names and SQL, so what they may contain is settled once, here.

use crate::checked_text::checked_text;

/// Longest accepted name, in bytes: a sandbox name holds at most 63.
pub const NAME_LEN_MAX: usize = 48;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not the name of {what}: use 1 to {NAME_LEN_MAX} of a-z, A-Z, 0-9, `-`, `_`, `.`, starting with a letter or digit"
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
        checked_text!(
            $(#[$attribute])*
            $name,
            ParseNameError,
            |text| is_name(text),
            |found| ParseNameError { what: $what, found }
        );
    };
}

name_type!(
    /// The key of a project, also the prefix of its work items: `ET`.
    ProjectKey, "a project"
);
name_type!(
    /// The name of a pipeline definition: `delivery`.
    DefinitionName, "a definition"
);
name_type!(
    /// A stage of a definition: `review`.
    StageName, "a stage"
);
name_type!(
    /// Who acts in a stage: `developer`.
    RoleName, "a role"
);
name_type!(
    /// A gate of a stage: `tests`.
    GateName, "a gate"
);
name_type!(
    /// A configured coding agent: `claude`.
    AgentName, "an agent"
);
name_type!(
    /// Where letters go: `chat`.
    DestinationName, "a destination"
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
