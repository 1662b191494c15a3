//! Why a job did not bring what it was started for, and what that means for its budgets.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::{QUOTA_WAIT, QUOTA_WAIT_MAX, QUOTA_WAIT_MIN};

/// The consequence of a failure. Whoever makes the failure knows best which it is.
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
pub enum FailureClass {
    /// The outside world is unwell: try again later, own budget.
    Transient,
    /// Trying again may help, but only so often: exit code, invalid output.
    Permanent,
    /// A limit was reached: memory, disk, time, silence. Counts like a permanent failure.
    Resource,
    /// Our own doing: a restart, a node that died. Consumes no budget.
    Lost,
    /// A quota window is spent. Consumes no budget: the job waits until the window opens.
    Quota,
    /// The model provider does not know us. Consumes no budget: the agent's kind waits for a person.
    Credentials,
}

/// A failure of a job, in words for a person and in a class for the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What it means for the budgets.
    pub class: FailureClass,
    /// One sentence that says what happened and, where there is something, what to change.
    pub message: String,
    /// The other side asked for this much patience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// When the window that is spent opens again, where the other side says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What the system calls a disk without room, and every program after it; and git, where only a part of a pack had room.
const NO_SPACE: [&str; 3] =
    ["No space left on device", "Disk quota exceeded", "write error. Out of diskspace"];

/// What to do where the kernel has ended something for want of memory. Nothing of ours sets a limit to it.
pub const MORE_MEMORY: &str = "lower max_concurrency, so that less runs at once, or give the machine (or the container that this runs in) more memory";

/// Whether words tell of a disk that is full.
#[must_use]
pub fn speaks_of_a_full_disk(words: &str) -> bool {
    NO_SPACE.iter().any(|said| words.contains(said))
}

impl Failure {
    /// A failure without a wish about when to come back.
    #[must_use]
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None, until: None }
    }

    /// A disk that is full, met by whatever says these words about it.
    #[must_use]
    pub fn full_disk(words: &str) -> Self {
        let message = format!("{words}; the disk is full: free some space on it, then try again");
        Self::new(FailureClass::Resource, message)
    }

    /// When to look again whether a spent window has opened: never at once, and never in years.
    #[must_use]
    pub fn window_opens_at(&self, now: Timestamp) -> Timestamp {
        let after = |wait: Duration| {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            now.saturating_add(wait).unwrap_or(Timestamp::MAX)
        };
        let said = self.until.or_else(|| self.retry_after.map(after));
        said.unwrap_or_else(|| after(QUOTA_WAIT))
            .clamp(after(QUOTA_WAIT_MIN), after(QUOTA_WAIT_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_by_the_words_of_the_system() {
        for (words, is_full) in [
            ("fatal: write error: No space left on device", true),
            ("fatal: sha1 file '<stdout>' write error. Out of diskspace", true),
            ("No space left on device (os error 28)", true),
            ("cp: error writing 'a': Disk quota exceeded", true),
            ("no room for another argument", false),
            ("", false),
        ] {
            assert_eq!(speaks_of_a_full_disk(words), is_full, "{words:?}");
        }
        let failure = Failure::full_disk("could not sync: No space left on device");
        assert_eq!(
            (failure.class, failure.message.as_str()),
            (
                FailureClass::Resource,
                "could not sync: No space left on device; the disk is full: free some space on it, then try again"
            )
        );
    }
}
