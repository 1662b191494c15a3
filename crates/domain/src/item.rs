//! The work item: what somebody wants.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{limits, name::ProjectKey, revision::BranchName, verdict::Finding};

/// `ET-001`: a project's key and a number that is its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemKey {
    /// The project.
    pub project: ProjectKey,
    /// Counts from 1 in each project.
    pub number: u32,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{:03}", self.project, self.number))
    }
}

/// A text that is no key of an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not the key of an item: `ET-001` is one")]
pub struct ParseItemKeyError {
    /// What was given.
    pub found: String,
}

impl FromStr for ItemKey {
    type Err = ParseItemKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let (project, number) = text.rsplit_once('-')?;
            let key = Self { project: project.parse().ok()?, number: number.parse().ok()? };
            // Spelled as it is shown, and in no other way.
            (key.to_string() == text).then_some(key)
        };
        parsed().ok_or_else(|| ParseItemKeyError { found: text.to_owned() })
    }
}

/// What is wanted. Title and text are somebody else's words: data, never instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name.
    pub key: ItemKey,
    /// One line, without control characters.
    pub title: String,
    /// The rest.
    pub description: String,
}

/// Why an item cannot be made of the words given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Nothing is left of the title without white space and control characters.
    #[error("the title is empty")]
    EmptyTitle,
    /// Longer than anybody reads.
    #[error("the title has {found} characters, at most {max} fit", max = limits::TITLE_CHARS_MAX)]
    LongTitle {
        /// Its length in characters.
        found: usize,
    },
    /// Longer than a brief can carry.
    #[error("the description has {found} bytes, at most {max} fit", max = limits::DESCRIPTION_BYTES_MAX)]
    LongDescription {
        /// Its length in bytes.
        found: usize,
    },
}

impl Item {
    /// Makes an item: folds the title's white space, drops its control characters, checks lengths.
    pub fn new(key: ItemKey, title: &str, description: &str) -> Result<Self, ItemError> {
        let printable: String =
            title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let title = printable.split_whitespace().collect::<Vec<_>>().join(" ");
        let chars = title.chars().count();
        if chars == 0 {
            return Err(ItemError::EmptyTitle);
        }
        if chars > limits::TITLE_CHARS_MAX {
            return Err(ItemError::LongTitle { found: chars });
        }
        if description.len() > limits::DESCRIPTION_BYTES_MAX {
            return Err(ItemError::LongDescription { found: description.len() });
        }
        Ok(Self { key, title, description: description.to_owned() })
    }

    /// What keeps the item from being taken in by a definition that begins with an intake.
    #[must_use]
    pub fn intake_findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let title = self.title.chars().count();
        if !limits::INTAKE_TITLE_CHARS.contains(&title) {
            let (min, max) = (limits::INTAKE_TITLE_CHARS.start(), limits::INTAKE_TITLE_CHARS.end());
            findings.push(Finding::blocking(format!(
                "the title has {title} characters, {min} to {max} are needed"
            )));
        }
        let description = self.description.trim().chars().count();
        if description < limits::INTAKE_DESCRIPTION_CHARS_MIN {
            let min = limits::INTAKE_DESCRIPTION_CHARS_MIN;
            findings.push(Finding::blocking(format!(
                "the description has {description} characters, at least {min} are needed"
            )));
        }
        findings
    }

    /// The branch of this item, `feature/<ID>-<slug>`. `ascii_title` is the title transliterated to ASCII by
    /// the caller; whatever is not a letter or digit becomes a dash.
    #[must_use]
    pub fn branch(&self, ascii_title: &str) -> BranchName {
        const SLUG_LEN_MAX: usize = 30;
        let lower = ascii_title.to_ascii_lowercase();
        let words =
            lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut slug = String::new();
        for word in words {
            let separator = usize::from(!slug.is_empty());
            if slug.len() + separator + word.len() > SLUG_LEN_MAX {
                if slug.is_empty() {
                    slug.push_str(&word[..SLUG_LEN_MAX]);
                }
                break;
            }
            if separator == 1 {
                slug.push('-');
            }
            slug.push_str(word);
        }
        if slug.is_empty() {
            slug.push_str("item");
        }
        BranchName::new(format!("feature/{}-{slug}", self.key))
            .expect("a key and a slug of a-z, 0-9 and dashes make a branch")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(title: &str) -> Result<Item, ItemError> {
        let project = ProjectKey::new("ET").expect("a name");
        Item::new(ItemKey { project, number: 7 }, title, "")
    }

    #[test]
    fn a_title_with_newlines_and_control_characters_becomes_one_line() {
        let item = item("Add\n a\u{1b}[31m `--version`\tflag").expect("a title");
        assert_eq!(item.title, "Add a [31m `--version` flag");
    }

    #[test]
    fn a_key_is_read_as_it_is_shown_and_in_no_other_way() {
        for key in ["ET-001", "a-b-1000", "ET-2-007"] {
            assert_eq!(key.parse::<ItemKey>().map(|it| it.to_string()).as_deref(), Ok(key));
        }
        for text in ["ET-1", "ET-+01", "ET", "-001", "", "ET-0001", "ET-99999999999"] {
            assert!(text.parse::<ItemKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_title_of_nothing_is_refused() {
        assert_eq!(item(" \n\t"), Err(ItemError::EmptyTitle));
    }

    #[test]
    fn no_title_escapes_from_the_branch_name() {
        for title in [
            "../../etc/passwd",
            "$(rm -rf /)",
            "🚀🚀",
            "-f --force",
            "x".repeat(300).as_str(),
            "a.lock",
            "@{1}",
        ] {
            let branch = item(title).expect("a title").branch(title);
            assert!(branch.as_str().starts_with("feature/ET-007-"), "{branch}");
            assert_eq!(branch.as_str().matches('/').count(), 1, "{branch}");
        }
    }

    #[test]
    fn an_item_without_a_description_is_not_taken_in() {
        let described = |description: &str| Item {
            description: description.to_owned(),
            ..item("Add a flag").expect("a title")
        };
        assert_eq!(described(" \n").intake_findings().len(), 1);
        assert!(described("It prints the version.").intake_findings().is_empty());
        assert_eq!(item("Flag").expect("a title").intake_findings().len(), 2);
    }

    #[test]
    fn a_slug_ends_at_a_word() {
        let title = "Add a --version flag to the command line";
        assert_eq!(
            item(title).expect("a title").branch(title).as_str(),
            "feature/ET-007-add-a-version-flag-to-the"
        );
    }
}
