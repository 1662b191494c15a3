//! Secrets in configuration: named here, kept elsewhere, never shown.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::key_path::{KeyPath, Step};

/// Where a secret is kept; exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-hint" = SecretRef::HINT))]
pub struct SecretRef {
    /// The environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The file that holds it; a newline at its end does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub file: Option<Utf8PathBuf>,
    /// The name that it has in the encrypted store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl SecretRef {
    /// How one is written.
    pub(crate) const HINT: &str =
        "write `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ secret = \"NAME\" }`";

    /// How many places are named; anything but one is a mistake.
    pub(crate) fn places(&self) -> usize {
        let Self { env, file, secret } = self;
        usize::from(env.is_some()) + usize::from(file.is_some()) + usize::from(secret.is_some())
    }
}

/// What is shown in place of a secret.
pub(crate) const MASK: &str = "********";

/// Whether an environment variable of this name holds something that must not be shown.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]
        .iter()
        .any(|it| name.contains(it))
}

/// Whether the value at `path` must not be shown: an entry of an `env` table with a telling name.
pub(crate) fn is_secret(path: &KeyPath) -> bool {
    match path.steps() {
        [.., Step::Key(table), Step::Key(name)] => table == "env" && is_secret_name(name),
        _ => false,
    }
}

/// The user and password of a URL, masked.
pub(crate) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let host_end = rest.find('/').unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{MASK}{}", &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_masked() {
        assert_eq!(
            without_credentials("postgres://gw:hunter2@db/gw?a=b@c"),
            "postgres://********@db/gw?a=b@c"
        );
        assert_eq!(without_credentials("https://example.org/a@b"), "https://example.org/a@b");
        assert_eq!(without_credentials("git@example.org:a/b"), "git@example.org:a/b");
    }

    #[test]
    fn variables_with_a_telling_name_are_secret() {
        let variable = |name: &str| is_secret(&KeyPath::from(["agents", "claude", "env", name]));
        assert!(variable("ANTHROPIC_API_KEY") && variable("github_token"));
        assert!(!variable("LANG") && !is_secret(&KeyPath::from(["key"])));
    }
}
