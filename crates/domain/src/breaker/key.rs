//! What a breaker is about.

use crate::checked_text::checked_text;

/// Longest accepted key, in bytes: a kind, and a host name of at most 253.
const KEY_LEN_MAX: usize = 320;

/// Why a text is not the key of a breaker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a kind of agent and its provider, like `claude@api.anthropic.com`")]
pub struct ParseBreakerKeyError {
    /// What was given.
    pub found: String,
}

checked_text!(
    /// A kind of agent and whom it talks to: `claude@api.anthropic.com`.
    BreakerKey,
    ParseBreakerKeyError,
    |text| is_key(text),
    |found| ParseBreakerKeyError { found }
);

fn is_key(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains('@');
    text.len() <= KEY_LEN_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(kind, provider)| is_part(kind) && is_part(provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_two_parts_that_can_be_printed() {
        for bad in ["", "claude", "@host", "claude@", "a@b@c", "a b@c", "a@b\n", "é@b"] {
            assert!(BreakerKey::new(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(BreakerKey::new("claude@127.0.0.1:8080").is_ok());
    }
}
