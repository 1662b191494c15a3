//! The lines of Codex's stream, as far as they matter here. Tolerant of whatever else is in them.

use domain::usage::Usage;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Line {
    #[serde(rename = "thread.started")]
    ThreadStarted { thread_id: String },
    #[serde(rename = "turn.started")]
    TurnStarted {},
    #[serde(rename = "item.started")]
    ItemStarted { item: Value },
    #[serde(rename = "item.updated")]
    ItemUpdated {},
    #[serde(rename = "item.completed")]
    ItemCompleted { item: Value },
    #[serde(rename = "error")]
    Error { message: String },
    #[serde(rename = "turn.completed")]
    TurnCompleted {
        #[serde(default)]
        usage: Option<Tokens>,
    },
    #[serde(rename = "turn.failed")]
    TurnFailed { error: TurnError },
    #[serde(other)]
    Unknown,
}

/// What every item has; the rest depends on its type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemHead {
    pub(super) id: String,
    pub(super) status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    AgentMessage {
        text: String,
    },
    Reasoning {},
    CommandExecution {
        command: String,
        #[serde(default)]
        aggregated_output: String,
    },
    FileChange {
        #[serde(default)]
        changes: Vec<Change>,
    },
    McpToolCall {
        #[serde(default)]
        server: String,
        #[serde(default)]
        tool: String,
        #[serde(default)]
        arguments: Value,
    },
    WebSearch {
        #[serde(default)]
        query: String,
    },
    Error {
        message: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) path: String,
    #[serde(default)]
    pub(super) kind: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct TurnError {
    pub(super) message: String,
}

/// An error of the provider, where Codex hands it on as it came: JSON in a message.
#[derive(Debug, Deserialize)]
pub(super) struct ProviderError {
    pub(super) error: ProviderErrorBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProviderErrorBody {
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
}

/// Cached tokens are part of the input, and reasoning is part of the output.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    #[serde(rename = "input_tokens")]
    input: u64,
    #[serde(rename = "cached_input_tokens")]
    cached: u64,
    #[serde(rename = "cache_write_input_tokens")]
    cache_write: u64,
    #[serde(rename = "output_tokens")]
    output: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        let Tokens { input, cached, cache_write, output } = tokens;
        Self {
            input_tokens: input.saturating_sub(cached).saturating_sub(cache_write),
            output_tokens: output,
            cache_read_tokens: cached,
            cache_creation_tokens: cache_write,
            cost_usd: None,
        }
    }
}
