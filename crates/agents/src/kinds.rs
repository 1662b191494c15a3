//! Which kinds of agents there are.

use std::sync::Arc;

use ports::Agent;

use crate::{claude::Claude, codex::Codex, command::Command, scripted::Scripted};

/// Every kind that a configuration can name.
pub const KINDS: &[&str] = &["claude", "codex", "command", "scripted"];

/// The agent of a kind.
pub fn find(kind: &str) -> Option<Arc<dyn Agent>> {
    match kind {
        "claude" => Some(Arc::new(Claude)),
        "codex" => Some(Arc::new(Codex)),
        "command" => Some(Arc::new(Command)),
        "scripted" => Some(Arc::new(Scripted)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_named_is_found_under_its_own_name() {
        for kind in KINDS {
            assert_eq!(find(kind).expect("an agent").kind(), *kind);
        }
        assert!(find("Claude").is_none() && find("").is_none());
    }
}
