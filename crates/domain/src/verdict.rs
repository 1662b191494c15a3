//! What a gate says about one commit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    limits::FINDING_SHORT_CHARS,
    name::GateName,
    revision::{CommitSha, TreeSha},
};

/// How a gate answered.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum VerdictOutcome {
    /// The stage may be left.
    Pass,
    /// The stage may not be left; the findings say why.
    Fail,
    /// The gate could not answer. Closes, like a failure, but blames nobody.
    Error,
    /// A person took the responsibility.
    Waived,
}

/// How much a finding weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::Display,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    /// Must be mended before the stage can be left.
    Blocking,
    /// Worth knowing; stops nothing.
    Advisory,
}

/// One thing that a gate, a reviewer or a hand-in check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// The file it is about, relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, in the words of whoever found it.
    pub message: String,
    /// The rule or test that it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Finding {
    /// A blocking finding about no particular place.
    #[must_use]
    pub fn blocking(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Blocking,
            path: None,
            line: None,
            message: message.into(),
            rule: None,
        }
    }

    /// The same finding, about a file.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// The message of a finding on one line. Of a long one the beginning and the end are kept: the output of a program ends
/// with what it came to.
#[must_use]
pub fn in_short(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let line: Vec<char> = words.join(" ").chars().collect();
    if line.len() <= FINDING_SHORT_CHARS {
        return line.into_iter().collect();
    }
    let half = FINDING_SHORT_CHARS / 2;
    let [begin, end] = [&line[..half], &line[line.len() - half..]].map(String::from_iter);
    format!("{} … {}", begin.trim_end(), end.trim_start())
}

/// A gate's answer about one commit. Stored for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Which gate answered.
    pub gate: GateName,
    /// The commit that it was asked about.
    pub commit: CommitSha,
    /// The tree of that commit: another commit with the same tree keeps the verdict.
    pub tree: TreeSha,
    /// The answer.
    pub outcome: VerdictOutcome,
    /// Why; the blocking ones reach the next agent word for word.
    pub findings: Vec<Finding>,
    /// One sentence for a person.
    pub summary: String,
    /// When the gate began to look.
    pub started_at: Timestamp,
    /// When it had its answer.
    pub finished_at: Timestamp,
    /// The log or report behind the answer: a path below the data directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_many_lines_is_told_on_one_and_keeps_its_end() {
        let message = "`make` exited with 1. Its output ends so:\n\nleaked\n";
        assert_eq!(in_short(message), "`make` exited with 1. Its output ends so: leaked");
        let long = in_short(&format!("it failed:\n{}\n2 tests failed", "é ".repeat(400)));
        assert!(long.starts_with("it failed: é ") && long.ends_with(" é 2 tests failed"), "{long}");
        assert!(long.chars().count() <= FINDING_SHORT_CHARS + 3, "{long}");
        assert_eq!(in_short(" \n "), "");
    }
}
