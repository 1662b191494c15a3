//! Asks a sandbox to end.

use camino::Utf8Path;
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ports::SandboxError;

use crate::{files, launch::blocking, lock, order::Running, procfs, protocol};

/// Signals the shim of the sandbox in `dir`; where none runs there is nothing to do.
pub(crate) async fn stop(dir: &Utf8Path) -> Result<(), SandboxError> {
    protocol::check(dir).await?;
    blocking("stop the command", dir, |dir| {
        if !lock::is_held(&dir)? {
            return Ok(());
        }
        // The mark first: a shim that cannot take signals yet looks for it once it can.
        files::mark(&dir, files::STOP)?;
        let Some(running) = files::find::<Running>(&dir, files::RUNNING)? else { return Ok(()) };
        if running.boot != procfs::boot_id() || !procfs::is_alive(running.shim) {
            return Ok(());
        }
        match kill(Pid::from_raw(running.shim.pid), Signal::SIGTERM) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    })
    .await
}
