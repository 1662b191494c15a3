//! What was used.

use domain::usage::Usage;
use serde::Serialize;

/// Tokens and money.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UsageView {
    /// All tokens, cached ones included.
    pub tokens: u64,
    /// Prompt tokens that no cache was concerned with.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to a cache.
    pub cache_creation_tokens: u64,
    /// US dollars, where the agent reports them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl From<&Usage> for UsageView {
    fn from(usage: &Usage) -> Self {
        let Usage {
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_creation_tokens,
            cost_usd,
        } = *usage;
        Self {
            tokens: usage.tokens(),
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_creation_tokens,
            cost_usd,
        }
    }
}
