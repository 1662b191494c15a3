//! What is known of a sandbox.

use std::io;

use camino::Utf8Path;
use ports::{ExitRecord, SandboxError, SandboxStatus};

use crate::{files, launch::blocking, leftovers, lock, protocol};

/// Reads the status of the sandbox in `dir`. Where its shim vanished, ends what may be left of it first.
pub(crate) async fn status(dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
    protocol::check(dir).await?;
    blocking("read the status", dir, |dir| {
        let status = read(&dir)?;
        if status == SandboxStatus::Vanished {
            leftovers::end(&dir)?;
        }
        Ok(status)
    })
    .await
}

/// The record counts more than the lock: behind it, the shim only has to end itself.
fn read(dir: &Utf8Path) -> io::Result<SandboxStatus> {
    if let Some(record) = ended(dir)? {
        return Ok(SandboxStatus::Ended(record));
    }
    if lock::is_held(dir)? {
        return Ok(SandboxStatus::Running);
    }
    // It may have ended between the two looks.
    if let Some(record) = ended(dir)? {
        return Ok(SandboxStatus::Ended(record));
    }
    Ok(if dir.join(files::STARTED).exists() {
        SandboxStatus::Vanished
    } else {
        SandboxStatus::Absent
    })
}

/// Whether the command of the sandbox in `dir` has ended, as its shim has recorded it. Only looks.
pub fn has_ended(dir: &Utf8Path) -> io::Result<bool> {
    Ok(ended(dir)?.is_some())
}

fn ended(dir: &Utf8Path) -> io::Result<Option<ExitRecord>> {
    files::find(dir, files::EXIT)
}
