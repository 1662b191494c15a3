//! The exit record: what it says, and that it gets written.

use std::{io, thread, time::Duration};

use camino::Utf8Path;
use jiff::Timestamp;
use nix::libc;
use ports::{ExitRecord, SandboxEnd};

use super::control::CommandEnd;
use crate::files;

/// A full disk is given this many seconds to find room: without a record the run counts as lost.
const ATTEMPTS_MAX: u32 = 60;

/// How a command that nobody stopped ended. `oom_kills` are the kernel's counts before and after.
pub(super) fn by_itself(end: CommandEnd, oom_kills: (Option<u64>, Option<u64>)) -> SandboxEnd {
    match end {
        CommandEnd::Exited(code) => SandboxEnd::Exited { code },
        CommandEnd::Signaled(signal) => {
            let rose = matches!(oom_kills, (Some(before), Some(after)) if before < after);
            SandboxEnd::Signaled { signal, out_of_memory: signal == libc::SIGKILL && rose }
        }
    }
}

/// Everything that the record says but its version and its end time.
pub(super) struct Outcome {
    pub(super) started_at: Timestamp,
    pub(super) end: SandboxEnd,
    pub(super) leftovers_killed: u32,
    pub(super) log_cut: bool,
}

/// Writes the record.
pub(super) fn write(dir: &Utf8Path, outcome: Outcome) -> io::Result<()> {
    let Outcome { started_at, end, leftovers_killed, log_cut } = outcome;
    let record = ExitRecord {
        version: 1,
        started_at,
        ended_at: Timestamp::now(),
        end,
        leftovers_killed,
        log_cut,
    };
    let mut attempt = 1;
    loop {
        match files::write_atomically(dir, files::EXIT, &record) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull && attempt < ATTEMPTS_MAX => {
                attempt += 1;
                thread::sleep(Duration::from_secs(1));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kill_with_the_kernels_own_word_is_out_of_memory() {
        let kill = CommandEnd::Signaled(libc::SIGKILL);
        let out_of_memory = |end, counts| match by_itself(end, counts) {
            SandboxEnd::Signaled { out_of_memory, .. } => out_of_memory,
            other => panic!("{other:?}"),
        };
        assert!(out_of_memory(kill, (Some(1), Some(2))));
        assert!(!out_of_memory(kill, (Some(2), Some(2))));
        assert!(!out_of_memory(kill, (None, Some(2))));
        assert!(!out_of_memory(CommandEnd::Signaled(libc::SIGSEGV), (Some(1), Some(2))));
        assert_eq!(
            by_itself(CommandEnd::Exited(137), (Some(1), Some(2))),
            SandboxEnd::Exited { code: 137 }
        );
    }
}
