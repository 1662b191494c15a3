//! Removes the files of a sandbox.

use std::{fs, io};

use camino::Utf8Path;
use ports::{SandboxError, SandboxStatus};

use crate::{
    files,
    launch::{blocking, take_turn},
    status::status,
};

/// Removes the directory of a sandbox that does not run.
pub(crate) async fn remove(dir: &Utf8Path) -> Result<(), SandboxError> {
    let refused = || SandboxError::Invalid {
        reason: format!("the sandbox in {dir} still runs and cannot be removed"),
    };
    if status(dir).await? == SandboxStatus::Running {
        return Err(refused());
    }
    let removed = blocking("remove the files", dir, |dir| {
        if !dir.exists() {
            return Ok(true);
        }
        let _turn = take_turn(&dir)?;
        // A launch may have come first.
        if crate::lock::is_held(&dir)? && !dir.join(files::EXIT).exists() {
            return Ok(false);
        }
        // What says that it has had its run goes last: half removed, it must not be started again.
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if ![files::STARTED, files::EXIT].iter().any(|name| entry.file_name() == *name) {
                remove_entry(&entry)?;
            }
        }
        fs::remove_dir_all(&dir)?;
        Ok(true)
    })
    .await?;
    if removed { Ok(()) } else { Err(refused()) }
}

fn remove_entry(entry: &fs::DirEntry) -> io::Result<()> {
    if entry.file_type()?.is_dir() {
        fs::remove_dir_all(entry.path())
    } else {
        fs::remove_file(entry.path())
    }
}
