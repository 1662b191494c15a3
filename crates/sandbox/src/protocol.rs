//! The version of what shims and orchestrators leave for each other in the directory of a sandbox.
//!
//! A shim outlives the orchestrator that started it, and may meet a newer or an older one: an upgrade, or the way back from
//! one. Readers know every version up to their own; what a newer one started they leave alone.

use std::io;

use camino::Utf8Path;
use ports::SandboxError;

use crate::{files, launch::blocking};

/// Rises with every change that a reader of the version before would misunderstand: the names and meaning of files, the
/// locks, the signals, the records. `tests/protocol-N` keeps what version N looked like.
pub(crate) const PROTOCOL: u32 = 1;

/// Refuses the sandbox in `dir` where a newer version started it: nothing of it is read, stopped or removed.
pub(crate) async fn check(dir: &Utf8Path) -> Result<(), SandboxError> {
    let found = blocking("read the protocol's version", dir, |dir| read(&dir)).await?;
    if found <= PROTOCOL {
        return Ok(());
    }
    Err(SandboxError::Newer { dir: dir.to_owned(), found, known: PROTOCOL })
}

/// The version is in the mark that says that it was started. The first version left that empty, in its first release.
fn read(dir: &Utf8Path) -> io::Result<u32> {
    let Some(bytes) = files::read(dir, files::STARTED)? else { return Ok(PROTOCOL) };
    let text = String::from_utf8_lossy(&bytes);
    if text.trim().is_empty() {
        return Ok(1);
    }
    text.trim().parse().map_err(|_| {
        let what = format!("{}: it holds no version", files::STARTED);
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}
