//! What becomes of a write beyond the limit that the process has for its files.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ, which ends a process without a word.
const FILE_TOO_LONG: i32 = 25;

/// Has such a write fail, so that it is told like a disk that is full. What this process starts has the signal as it was.
/// To be called in the runtime.
pub(crate) fn let_writes_fail() -> io::Result<()> {
    // Caught from now on, for good; nobody waits for it.
    signal(SignalKind::from_raw(FILE_TOO_LONG)).map(drop)
}
