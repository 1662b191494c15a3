//! How often the kernel has ended something in our control group for want of memory.

use std::fs;

/// The count, where the machine keeps one. Only its rise means something.
pub(super) fn kills() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    counters(&groups).find_map(|file| count(&fs::read_to_string(file).ok()?))
}

/// The files that may hold the count: of the second version of control groups, and of the first.
fn counters(groups: &str) -> impl Iterator<Item = String> {
    groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) =
            (parts.next()?, parts.next()?, parts.next()?.trim_end_matches('/'));
        match controllers {
            "" => Some(format!("/sys/fs/cgroup{path}/memory.events")),
            it if it.split(',').any(|controller| controller == "memory") => {
                Some(format!("/sys/fs/cgroup/memory{path}/memory.oom_control"))
            }
            _ => None,
        }
    })
}

fn count(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_read() {
        let files: Vec<String> =
            counters("9:name=systemd:/\n4:cpu,memory:/agents\n0::/user.slice/run\n").collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/agents/memory.oom_control",
                "/sys/fs/cgroup/user.slice/run/memory.events"
            ]
        );
        assert_eq!(count("low 0\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(count("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), Some(1));
        assert_eq!(count("low 0\n"), None);
    }
}
