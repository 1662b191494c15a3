//! What `/proc` says about processes: whose they are, and what they were given in their environment.

use std::{fs, os::unix::fs::MetadataExt as _};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::{Pid, getpgrp},
};

/// A line of the process table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) parent: Pid,
    group: Pid,
}

/// Every process that can be seen.
pub(super) fn list() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| parse(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

impl Process {
    /// Whether it is of this user. Nobody else's is any of ours, also where we may look into it.
    pub(super) fn is_of(self, user: u32) -> bool {
        fs::metadata(format!("/proc/{}", self.pid)).is_ok_and(|it| it.uid() == user)
    }

    /// Whether a variable of its environment is as wanted. One that has ended has none.
    pub(super) fn was_given(self, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
        let variables = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(is_wanted)
    }

    /// Kills it, and its group before: the kernel signals that as a whole, so that whoever starts others all the time cannot
    /// outrun us.
    pub(super) fn kill(self) {
        // The only failure is that nobody is left.
        if self.group.as_raw() > 1 && self.group != getpgrp() {
            killpg(self.group, Signal::SIGKILL).ok();
        }
        kill(self.pid, Signal::SIGKILL).ok();
    }
}

/// Reads a line of `/proc/PID/stat`. The name in it is the process's own choice: it may hold blanks and brackets.
fn parse(line: &[u8]) -> Option<Process> {
    let line = String::from_utf8_lossy(line);
    let (head, rest) = line.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let mut fields = rest.split_whitespace().skip(1).map(|field| field.parse().ok());
    Some(Process {
        pid: Pid::from_raw(pid),
        parent: Pid::from_raw(fields.next()??),
        group: Pid::from_raw(fields.next()??),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_names_itself_like_a_line_of_the_table_is_read_right() {
        let found = parse(b"4242 (x) R 1 1 (y) S 7 8 9 0 -1 4194560 1 0\n").unwrap();
        let [pid, parent, group] = [4242, 7, 8].map(Pid::from_raw);
        assert_eq!(found, Process { pid, parent, group });
    }
}
