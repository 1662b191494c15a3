//! Which paths a role may write.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// Glob patterns relative to the repository's root: `*` stays in a directory, `**` does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRules {
    /// What may be written; empty allows everything that is not denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// What may not be written, whatever `write` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// A pattern that is not a glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a path pattern: {reason}")]
pub struct PatternError {
    /// The pattern as given.
    pub pattern: String,
    /// What the glob parser said.
    pub reason: String,
}

/// Compiled [`PathRules`].
#[derive(Clone, Debug)]
pub struct PathMatcher {
    write: Vec<GlobMatcher>,
    deny: Vec<GlobMatcher>,
}

/// Paths that no agent may ever write: what decides about gates must come from people.
pub const ALWAYS_DENIED: &[&str] = &[".gatewright/**", "gatewright.toml", ".git/**", ".git"];

/// Compiles one path pattern.
pub fn compile(pattern: &str) -> Result<GlobMatcher, PatternError> {
    let error = |reason: String| PatternError { pattern: pattern.to_owned(), reason };
    if pattern.is_empty() || pattern.starts_with('/') || pattern.split('/').any(|part| part == "..")
    {
        return Err(error("it must be relative and stay inside the repository".to_owned()));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Ok(glob.map_err(|e| error(e.kind().to_string()))?.compile_matcher())
}

impl PathRules {
    /// Compiles the patterns; `{item}` in them has been replaced by the caller.
    pub fn compile(&self) -> Result<PathMatcher, PatternError> {
        let all = |patterns: &[String]| {
            patterns.iter().map(|it| compile(it)).collect::<Result<Vec<_>, _>>()
        };
        let mut deny = all(&self.deny)?;
        for pattern in ALWAYS_DENIED {
            deny.push(compile(pattern)?);
        }
        Ok(PathMatcher { write: all(&self.write)?, deny })
    }

    /// The same rules with `{item}` replaced in every pattern.
    #[must_use]
    pub fn for_item(&self, item: &str) -> Self {
        let fill =
            |patterns: &[String]| patterns.iter().map(|it| it.replace("{item}", item)).collect();
        Self { write: fill(&self.write), deny: fill(&self.deny) }
    }
}

impl PathMatcher {
    /// Whether a role with these rules may write `path`.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        let matches = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(path));
        !matches(&self.deny) && (self.write.is_empty() || matches(&self.write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(write: &[&str], deny: &[&str]) -> PathMatcher {
        let own = |it: &[&str]| it.iter().map(|&it| it.to_owned()).collect();
        PathRules { write: own(write), deny: own(deny) }.compile().expect("patterns")
    }

    #[test]
    fn a_star_stays_in_its_directory() {
        let rules = rules(&["src/*.rs", "docs/**"], &[]);
        assert!(rules.allows("src/main.rs") && rules.allows("docs/a/b.md"));
        assert!(!rules.allows("src/a/b.rs") && !rules.allows("Makefile"));
    }

    #[test]
    fn deny_wins_over_write() {
        assert!(!rules(&["**"], &["tests/**"]).allows("tests/a.py"));
    }

    #[test]
    fn nobody_writes_what_decides_about_gates() {
        let all = rules(&[], &[]);
        assert!(all.allows("src/lib.rs"));
        for path in [".gatewright/pipelines/solo.toml", "gatewright.toml", ".git/config"] {
            assert!(!all.allows(path), "{path}");
        }
    }

    #[test]
    fn a_pattern_that_leaves_the_repository_is_refused() {
        assert!(compile("../x").is_err() && compile("/etc/*").is_err() && compile("a[").is_err());
    }
}
