//! What an error of a model provider means for the budgets.
//!
//! Statuses and error codes come first. The table of words is the last resort, for agents that say in prose
//! what they were told as a number.

use domain::failure::FailureClass::{self, Credentials, Permanent, Quota, Resource, Transient};

/// What an HTTP status means.
pub(crate) const fn class_of_status(status: u16) -> FailureClass {
    match status {
        // 402 too: no retry fills an account, a person has to.
        401..=403 | 407 => Credentials,
        408 | 425 | 429 | 500..=599 => Transient,
        _ => Permanent,
    }
}

/// Whether a provider that answers so does not know us: a person has to see to the key, the login or the account.
#[must_use]
pub const fn is_refusal(status: u16) -> bool {
    matches!(class_of_status(status), Credentials)
}

/// What an error code of a provider or of an agent's own client means.
pub(crate) fn class_of_code(code: &str) -> Option<FailureClass> {
    match code {
        // The last two as well: unlike a window that opens again, an empty account stays empty until somebody pays.
        "authentication_failed"
        | "authentication_error"
        | "invalid_api_key"
        | "oauth_org_not_allowed"
        | "permission_error"
        | "billing_error"
        | "insufficient_quota" => Some(Credentials),
        "rate_limit"
        | "rate_limit_error"
        | "rate_limit_exceeded"
        | "overloaded"
        | "overloaded_error"
        | "server_error"
        | "api_error"
        | "server_is_overloaded" => Some(Transient),
        "usage_limit_reached" => Some(Quota),
        "invalid_request"
        | "invalid_request_error"
        | "context_length_exceeded"
        | "model_not_found"
        | "max_output_tokens" => Some(Permanent),
        _ => None,
    }
}

/// Words in lower case and what they mean; the first that is found counts.
const WORDS: &[(&str, FailureClass)] = &[
    ("no space left on device", Resource),
    ("out of room in the model's context window", Permanent),
    ("prompt is too long", Permanent),
    ("credit balance", Credentials),
    ("billing details", Credentials),
    ("failed to authenticate", Credentials),
    ("invalid api key", Credentials),
    ("not logged in", Credentials),
    ("please run /login", Credentials),
    ("unauthorized", Credentials),
    ("403 forbidden", Credentials),
    ("insufficient credits", Credentials),
    ("insufficient_quota", Credentials),
    ("usage limit", Quota),
    ("hit your limit", Quota),
    ("rate limit", Transient),
    ("rate-limit", Transient),
    ("too many requests", Transient),
    ("high demand", Transient),
    ("overloaded", Transient),
    ("temporarily unavailable", Transient),
    ("service unavailable", Transient),
    ("bad gateway", Transient),
    ("gateway timeout", Transient),
    ("gateway time-out", Transient),
    ("internal server error", Transient),
    ("econnrefused", Transient),
    ("econnreset", Transient),
    ("etimedout", Transient),
    ("enotfound", Transient),
    ("could not resolve host", Transient),
    ("name resolution", Transient),
    ("network is unreachable", Transient),
    ("stream disconnected", Transient),
    ("stream closed", Transient),
    ("timed out", Transient),
    ("connection refused", Transient),
    ("connection reset", Transient),
    ("error sending request", Transient),
];

/// What an error's words mean, where they are known.
pub(crate) fn class_of_words(words: &str) -> Option<FailureClass> {
    let words = words.to_lowercase();
    WORDS.iter().find(|(part, _)| words.contains(part)).map(|(_, class)| *class)
}

/// The same for words that may be quoted from anywhere, like the output of a test: they never stop every agent of a kind.
/// That takes what a client reports as its own, by number or code.
pub(crate) fn class_of_quoted_words(words: &str) -> Option<FailureClass> {
    class_of_words(words).filter(|class| !matches!(class, Credentials | Quota))
}

/// The same for the last words of a client that went down before it began. They may be those of whatever it started, like
/// a tool server that was refused; only its own fixed sentences are its word.
pub(crate) fn class_of_last_words(words: &str, own: &[&str]) -> Option<FailureClass> {
    if own.iter().any(|sentence| words.starts_with(sentence)) {
        class_of_words(words)
    } else {
        class_of_quoted_words(words)
    }
}

/// Whether the words speak of a quota that opens again by itself.
pub(crate) fn speaks_of_a_window(words: &str) -> bool {
    class_of_words(words) == Some(Quota)
}

/// The status in `unexpected status 529 …` and `last status: 429 …`.
pub(crate) fn status_in(words: &str) -> Option<u16> {
    let (_, rest) = words.split_once("status")?;
    let digits: String =
        rest.trim_start_matches([':', ' ']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_cannot_be_reached_or_answers_nothing_useful_is_unwell() {
        for words in [
            "503 service unavailable",
            "502 Bad Gateway",
            "500 Internal Server Error",
            "connect ECONNREFUSED 127.0.0.1:443",
            "curl: (6) Could not resolve host: api.example.org",
            "getaddrinfo: Temporary failure in name resolution",
        ] {
            assert_eq!(class_of_words(words), Some(Transient), "{words}");
        }
        assert_eq!(class_of_words("403 Forbidden"), Some(Credentials));
        assert_eq!(class_of_words("Segmentation fault"), None);
    }

    #[test]
    fn only_a_sentence_of_the_client_itself_stops_every_agent_of_its_kind() {
        let own = ["Invalid API key"];
        for (words, class) in [
            ("Invalid API key · Please run /login", Some(Credentials)),
            ("mcp server search: 401 Unauthorized", None),
            ("search: Invalid API key · Please run /login", None),
            ("search: you have hit your limit", None),
            ("search: connection refused", Some(Transient)),
        ] {
            assert_eq!(class_of_last_words(words, &own), class, "{words}");
        }
    }

    #[test]
    fn a_status_is_found_where_it_is_called_one() {
        assert_eq!(
            status_in(
                "unexpected status 529 <unknown status code>: Overloaded, url: http://h:8801/m/400"
            ),
            Some(529)
        );
        assert_eq!(
            status_in("exceeded retry limit, last status: 429 Too Many Requests"),
            Some(429)
        );
        assert_eq!(status_in("the status 12 of port 8801"), None);
        assert_eq!(status_in("status"), None);
    }
}
