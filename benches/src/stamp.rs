//! A process that says when it began, and reading what it said.

use std::{
    io::{self, Write as _},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};

/// The argument that makes this program such a process.
pub(crate) const ARGUMENT: &str = "stamp";

/// Prints the time. The clock is the one that all processes share.
pub(crate) fn print() -> Result<()> {
    Ok(writeln!(io::stdout(), "{}", since_epoch().as_nanos())?)
}

/// Now, on that clock.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// How long after `start` the process began that printed this.
pub(crate) fn read(printed: &[u8], start: Duration) -> Result<Duration> {
    let text = str::from_utf8(printed).context("a stamp is text")?.trim();
    let nanos = text.parse().with_context(|| format!("`{text}` is no stamp"))?;
    Ok(Duration::from_nanos(nanos).saturating_sub(start))
}
