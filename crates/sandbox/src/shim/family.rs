//! Ends everything that descends from this process.

use std::{collections::BTreeSet, thread, time::Duration};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getpgrp},
};

use super::control::CommandEnd;
use crate::procfs;

/// Between two looks at who is left.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// A process that the kernel cannot end (a hung file system) is given up after this many looks, about half a minute.
const LOOKS_MAX: u32 = 15_000;

/// What [`end_all`] found.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// How many processes were killed, without those named as known.
    pub(super) killed: u32,
    /// How the one that was asked about ended, if it was still there.
    pub(super) end: Option<CommandEnd>,
}

/// Kills every descendant and waits until none is left. `known` are those that are not left-overs; the end of the first is told.
///
/// This process must be a subreaper or the init of a pid namespace: then whoever changed his session or forked twice is
/// still a descendant, and having no child means that there is nobody.
pub(super) fn end_all(known: &[Pid]) -> Swept {
    let mut swept = Swept::default();
    let mut seen = BTreeSet::new();
    for _ in 0..LOOKS_MAX {
        for process in procfs::list_descendants(Pid::this().as_raw()).iter().filter(|it| !it.zombie)
        {
            let pid = Pid::from_raw(process.id.pid);
            if !known.contains(&pid) {
                seen.insert(process.id);
            }
            // The group first: the kernel signals it as a whole, so that a fork bomb cannot outrun us.
            if process.group > 1 && process.group != getpgrp().as_raw() {
                let _ = killpg(Pid::from_raw(process.group), Signal::SIGKILL);
            }
            let _ = kill(pid, Signal::SIGKILL);
        }
        if Pid::this().as_raw() == 1 {
            // The init of a pid namespace can name everybody at once, also those who come and go faster than we look.
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        }
        let nobody_left = reap(|status| {
            if status.pid() == known.first().copied() {
                swept.end = CommandEnd::from_status(status);
            }
        });
        if nobody_left {
            break;
        }
        thread::sleep(LOOK_EVERY);
    }
    swept.killed = u32::try_from(seen.len()).unwrap_or(u32::MAX);
    swept
}

/// Takes in every child that has ended, without waiting. True where there is no child at all any more.
pub(super) fn reap(mut ended: impl FnMut(WaitStatus)) -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(status) => ended(status),
            Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}
