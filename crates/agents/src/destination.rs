//! Whom an agent talks to.

use ports::AgentProfile;

/// Longest host that is taken: names end at 253 characters.
const HOST_LEN_MAX: usize = 270;

/// Host and port of the base URL that the environment variable `variable` gives to the agent, else `default`.
///
/// Nothing else of the URL is taken: it may hold a password.
pub(crate) fn host(profile: &AgentProfile, variable: &str, default: &str) -> String {
    let url = profile.env.get(variable).map(String::as_str);
    url.and_then(host_of).unwrap_or_else(|| default.to_owned())
}

fn host_of(url: &str) -> Option<String> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let is_host = !host.is_empty()
        && host.len() <= HOST_LEN_MAX
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte));
    is_host.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_without_anything_secret() {
        for (url, host) in [
            ("https://api.example.com/v1?key=abc", Some("api.example.com")),
            ("http://ann:secret@127.0.0.1:8080/", Some("127.0.0.1:8080")),
            ("https://[::1]:9", Some("[::1]:9")),
            ("API.Example.com", Some("api.example.com")),
            ("https:///path", None),
            ("https://a b", None),
            ("", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }
}
