//! What becomes of a write beyond the limit that the process has for its files.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::is_ignored;

/// SIGXFSZ, which ends a process without a word.
const FILE_TOO_LONG: i32 = 25;

/// Has such a write fail, so that it is told like a disk that is full. What this process starts has the signal as it was:
/// what is caught is not passed on, and what is ignored, which lets writes fail as well, stays so. To be called in the
/// runtime.
pub(crate) fn let_writes_fail() -> io::Result<()> {
    let file_too_long = SignalKind::from_raw(FILE_TOO_LONG);
    if is_ignored(file_too_long) {
        return Ok(());
    }
    // Caught from now on, for good; nobody waits for it.
    signal(file_too_long).map(drop)
}
