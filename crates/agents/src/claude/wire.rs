//! The lines of Claude Code's stream, as far as they matter here.
//!
//! Tolerant: an unknown field is ignored, and a field of an unknown shape counts as absent, so that a newer Claude
//! Code loses us a detail and not the line that says how the run ended.

use std::collections::BTreeMap;

use domain::usage::Usage;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    System(System),
    Assistant(Assistant),
    User(User),
    RateLimitEvent(RateLimitEvent),
    Result(Box<RunResult>),
    /// Known to carry nothing that we need.
    StreamEvent,
    ToolProgress,
    ToolUseSummary,
    AuthStatus,
    #[serde(other)]
    Unknown,
}

/// `init` and `api_retry` matter.
#[derive(Debug, Deserialize)]
pub(super) struct System {
    pub(super) subtype: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) session_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) attempt: u32,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) retry_delay_ms: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error_status: Option<u16>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Assistant {
    pub(super) message: Message,
    /// A code, on a message that the client made itself to report an error of the provider.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) content: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Tokens,
}

/// One part of a message.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    Text {
        text: String,
    },
    Thinking {},
    RedactedThinking {},
    ToolUse {
        name: String,
        #[serde(default)]
        input: Value,
    },
    ToolResult {
        #[serde(default)]
        content: Value,
        #[serde(default, deserialize_with = "lenient")]
        is_error: bool,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) message: UserMessage,
}

#[derive(Debug, Deserialize)]
pub(super) struct UserMessage {
    /// A list of parts, or plain text when it is only what we said.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) content: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RateLimitEvent {
    pub(super) rate_limit_info: RateLimitInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimitInfo {
    pub(super) status: String,
    /// Unix seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) resets_at: Option<i64>,
}

/// The last line of a run that came to its end, good or bad. `subtype` is `success` for API errors too.
#[derive(Debug, Deserialize)]
pub(super) struct RunResult {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) subtype: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) is_error: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) api_error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) terminal_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) result: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) errors: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) total_cost_usd: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Tokens,
    #[serde(default, rename = "modelUsage", deserialize_with = "lenient")]
    pub(super) model_usage: BTreeMap<String, ModelTokens>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) permission_denials: Vec<Denial>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Denial {
    pub(super) tool_name: String,
}

/// Tokens of one message, or of the main conversation.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    #[serde(rename = "input_tokens")]
    input: u64,
    #[serde(rename = "output_tokens")]
    output: u64,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: u64,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_creation: u64,
}

/// Tokens of all calls of one model.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelTokens {
    #[serde(rename = "inputTokens")]
    input: u64,
    #[serde(rename = "outputTokens")]
    output: u64,
    #[serde(rename = "cacheReadInputTokens")]
    cache_read: u64,
    #[serde(rename = "cacheCreationInputTokens")]
    cache_creation: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        let Tokens { input, output, cache_read, cache_creation } = tokens;
        Self {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: cache_read,
            cache_creation_tokens: cache_creation,
            cost_usd: None,
        }
    }
}

impl From<ModelTokens> for Usage {
    fn from(tokens: ModelTokens) -> Self {
        let ModelTokens { input, output, cache_read, cache_creation } = tokens;
        Tokens { input, output, cache_read, cache_creation }.into()
    }
}

/// A field of another shape than we know counts as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}
