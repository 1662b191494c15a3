//! What git prints, as the domain's types.

use domain::revision::{CommitSha, ParseRevisionError, TreeSha};
use ports::GitError;

/// A commit that git printed.
pub(crate) fn commit(operation: &str, text: &str) -> Result<CommitSha, GitError> {
    CommitSha::new(text).map_err(unexpected(operation))
}

/// A tree that git printed.
pub(crate) fn tree(operation: &str, text: &str) -> Result<TreeSha, GitError> {
    TreeSha::new(text).map_err(unexpected(operation))
}

fn unexpected(operation: &str) -> impl FnOnce(ParseRevisionError) -> GitError {
    let operation = operation.to_owned();
    move |error| GitError::Command {
        operation,
        stderr: format!("git printed something else: {error}"),
    }
}
