//! Commits, trees and branches as types: checked once at the door, then trusted.

use crate::checked_text::checked_text;

/// Why a text is not a revision name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseRevisionError {
    /// Not 40 or 64 lower-case hexadecimal digits.
    #[error("`{0}` is not a full object id")]
    NotAnObjectId(String),
    /// Breaks one of the rules of `git check-ref-format --branch`.
    #[error("`{0}` is not a valid branch name")]
    NotABranch(String),
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The rules of `git check-ref-format`, and no leading dash, so that a name can never be an option.
fn is_branch(text: &str) -> bool {
    let part_is_fine = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !std::path::Path::new(part)
                .extension()
                .is_some_and(|it| it.eq_ignore_ascii_case("lock"))
    };
    text.len() <= 200
        && text != "@"
        && !text.starts_with('-')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c))
        && text.split('/').all(part_is_fine)
}

checked_text!(
    /// The full object id of a commit.
    CommitSha,
    ParseRevisionError,
    |text| is_object_id(text),
    ParseRevisionError::NotAnObjectId
);
checked_text!(
    /// The full object id of a tree: what a verdict really speaks about.
    TreeSha,
    ParseRevisionError,
    |text| is_object_id(text),
    ParseRevisionError::NotAnObjectId
);
checked_text!(
    /// A branch name without `refs/heads/`.
    BranchName,
    ParseRevisionError,
    |text| is_branch(text),
    ParseRevisionError::NotABranch
);

impl CommitSha {
    /// The first ten digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl BranchName {
    /// The full ref: `refs/heads/…`.
    #[must_use]
    pub fn full_ref(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_that_git_would_refuse_or_misread_are_refused() {
        for bad in [
            "",
            "-f",
            "a..b",
            "a b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a~1",
            "a^",
            "a:b",
            "@",
            "a@{1}",
            "a\\b",
            "a\nb",
            "../../etc/passwd",
        ] {
            assert!(BranchName::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in ["main", "feature/ET-001-add-flag", "gw/x--tester"] {
            assert!(BranchName::new(good).is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn an_abbreviated_or_upper_case_commit_is_refused() {
        assert!(CommitSha::new("c0ffee").is_err());
        assert!(CommitSha::new("C".repeat(40)).is_err());
        assert!(CommitSha::new("c".repeat(40)).is_ok());
    }
}
