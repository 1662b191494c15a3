//! What an agent run consumed.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Tokens and money. Zero where an agent does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Generated tokens, reasoning included.
    pub output_tokens: u64,
    /// Prompt tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_creation_tokens: u64,
    /// Money in US dollars as the agent reported it; `None` where it never did.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// All tokens, cached ones included: what the `tokens` limit of a definition counts.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.output_tokens)
            .saturating_add(self.cache_read_tokens)
            .saturating_add(self.cache_creation_tokens)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let Self {
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_creation_tokens,
            cost_usd,
        } = other;
        self.input_tokens = self.input_tokens.saturating_add(input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(output_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(cache_read_tokens);
        self.cache_creation_tokens =
            self.cache_creation_tokens.saturating_add(cache_creation_tokens);
        self.cost_usd = match (self.cost_usd, cost_usd) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cost_stays_unknown_until_somebody_names_one() {
        let mut total = Usage::default();
        total += Usage { input_tokens: 3, ..Usage::default() };
        assert_eq!(total.cost_usd, None);
        total += Usage { cost_usd: Some(0.5), ..Usage::default() };
        total += Usage { output_tokens: 4, ..Usage::default() };
        assert_eq!((total.cost_usd, total.tokens()), (Some(0.5), 7));
    }
}
