//! File system work, kept off the threads that serve everybody.

use std::{io, panic};

use camino::Utf8Path;
use ports::GitError;

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => panic::resume_unwind(error.into_panic()),
    }
}

/// Names the operation and the place of what the file system refused.
pub(crate) fn io_error(
    operation: &'static str,
    path: &Utf8Path,
) -> impl FnOnce(io::Error) -> GitError + use<> {
    let path = path.to_owned();
    move |source| GitError::Io { operation, path, source }
}
