//! Ends what is left of a sandbox whose shim was killed.
//!
//! The init does that by itself when the supervisor is gone. This is for the case that both were killed.

use std::{
    fs, io, thread,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    files,
    order::Running,
    procfs::{self, ProcessId},
};

/// How long the processes may take to end once they are killed.
const WITHIN: Duration = Duration::from_secs(5);

/// Kills the processes that the shim noted and waits for their end; then forgets them, so that this happens once.
pub(crate) fn end(dir: &Utf8Path) -> io::Result<()> {
    let Some(running) = files::find::<Running>(dir, files::RUNNING)? else { return Ok(()) };
    let until = Instant::now() + WITHIN;
    // Numbers from before a restart of the machine belong to others now.
    while running.boot == procfs::boot_id() {
        let left = left(&running);
        if left.is_empty() {
            break;
        }
        if until < Instant::now() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("processes of it do not end: {left:?}"),
            ));
        }
        tracing::debug!(sandbox.dir = %dir, "ending {} processes of the vanished sandbox in {dir}", left.len());
        for process in left {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
    // A shim that was killed early has left its order behind, and that carries keys.
    for name in [files::ORDER, files::RUNNING] {
        match fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Those that were noted, and whoever is in the command's session. The kernel does not give a session's number to
/// another process while somebody is in the session.
fn left(running: &Running) -> Vec<ProcessId> {
    let noted = running.others.iter().copied().filter(|it| procfs::is_alive(*it));
    let Some(session) = running.session else { return noted.collect() };
    // Only a process that is younger than the shim can be of its making.
    let in_session = procfs::list()
        .into_iter()
        .filter(|it| it.session == session && !it.zombie && it.id.start >= running.shim.start);
    noted.chain(in_session.map(|it| it.id)).collect()
}
