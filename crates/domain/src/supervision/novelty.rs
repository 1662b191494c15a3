//! What of a run was never there before.

use std::collections::BTreeSet;

use crate::{fingerprint::Fingerprint, run::AgentEvent};

/// Fingerprints that are remembered. Whoever made more calls is forgotten all of them, and everything counts as new
/// once more: a loop is found a little later, and nobody is accused.
const SEEN_MAX: usize = 65_536;

/// Whether a tool call or its answer is new in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Never seen before, or not to be told from others.
    New,
    /// Seen before, word for word.
    Seen,
}

/// All calls and answers of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    calls: BTreeSet<Fingerprint>,
    results: BTreeSet<Fingerprint>,
}

impl Seen {
    /// Whether it is new; `None` for what is neither a call nor an answer.
    pub(super) fn look(&mut self, event: &AgentEvent) -> Option<Novelty> {
        match event {
            // What the stream leaves out may differ each time.
            AgentEvent::ToolCall { fingerprint: None, .. } => Some(Novelty::New),
            AgentEvent::ToolCall { fingerprint: Some(it), .. } => {
                Some(insert(&mut self.calls, *it))
            }
            AgentEvent::ToolResult { fingerprint: None, .. } => Some(Novelty::Seen),
            AgentEvent::ToolResult { fingerprint: Some(it), .. } => {
                Some(insert(&mut self.results, *it))
            }
            AgentEvent::Started { .. }
            | AgentEvent::Text { .. }
            | AgentEvent::Thinking
            | AgentEvent::Usage { .. }
            | AgentEvent::Retrying { .. }
            | AgentEvent::RateLimited { .. }
            | AgentEvent::Error { .. }
            | AgentEvent::Finished => None,
        }
    }
}

fn insert(seen: &mut BTreeSet<Fingerprint>, fingerprint: Fingerprint) -> Novelty {
    if seen.len() >= SEEN_MAX {
        seen.clear();
    }
    if seen.insert(fingerprint) { Novelty::New } else { Novelty::Seen }
}
