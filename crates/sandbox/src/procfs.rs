//! What `/proc` says about processes: who they are, who their parents are.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, told apart from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// Its number.
    pub(crate) pid: i32,
    /// When it started, in clock ticks since the machine did.
    pub(crate) start: u64,
}

/// One line of the process table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Over, and only waiting to be asked how.
    pub(crate) zombie: bool,
}

/// Finds a process by its number.
pub(crate) fn find(pid: i32) -> Option<Process> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Finds whether exactly this process still runs.
pub(crate) fn is_alive(id: ProcessId) -> bool {
    find(id.pid).is_some_and(|found| found.id == id && !found.zombie)
}

/// Every process that can be seen.
pub(crate) fn list() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(find)
        .collect()
}

/// Children, grandchildren and so on of `root`, without itself.
pub(crate) fn list_descendants(root: i32) -> Vec<Process> {
    let all = list();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|it| it.parent == parent && it.id.pid != root);
        for child in children {
            parents.push(child.id.pid);
            found.push(*child);
        }
    }
    found
}

/// Names this start of the machine: numbers of processes mean nothing after the next one.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Reads a line of `/proc/PID/stat`. The name in it is the process's own choice: it may hold blanks and brackets.
fn parse(line: &[u8]) -> Option<Process> {
    let line = String::from_utf8_lossy(line);
    let (head, rest) = line.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse().ok();
    Some(Process {
        id: ProcessId { pid, start: fields.get(19)?.parse().ok()? },
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_names_itself_like_a_line_of_the_table_is_read_right() {
        let line =
            b"4242 (x) R 1 1 (y) S 7 8 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 0\n";
        let found = parse(line).unwrap();
        assert_eq!(found.id, ProcessId { pid: 4242, start: 987_654 });
        assert_eq!((found.parent, found.group, found.session, found.zombie), (7, 8, 9, false));
    }

    #[test]
    fn this_process_is_alive_and_a_namesake_is_not() {
        let me = find(i32::try_from(std::process::id()).unwrap()).unwrap().id;
        assert!(is_alive(me));
        assert!(!is_alive(ProcessId { start: me.start + 1, ..me }));
    }

    #[test]
    fn a_child_is_a_descendant() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(list_descendants(me).iter().any(|it| it.id.pid == pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
