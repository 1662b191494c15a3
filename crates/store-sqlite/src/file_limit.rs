//! Whether the limit that a process has for the length of its files keeps the database from growing.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// How near to the limit a file is that has met it. A write may end before it: SQLite writes pages, and makes the file of
/// its shared memory longer by 32 KiB at a time.
const NEAR_BYTES: u64 = 64 * 1024;

/// The limit, where one of the files of a database has met it. The system says nothing else of such a write than that it
/// failed.
pub(crate) fn in_the_way(database: &Utf8Path) -> Option<u64> {
    let limit = find(&fs::read_to_string("/proc/self/limits").ok()?)?;
    let lengths = ["", "-wal", "-shm"].map(|end| {
        let file = Utf8PathBuf::from(format!("{database}{end}"));
        fs::metadata(file).map_or(0, |found| found.len())
    });
    lengths.iter().any(|length| length.saturating_add(NEAR_BYTES) >= limit).then_some(limit)
}

/// The limit that holds, as `/proc/PID/limits` shows it; `None` where there is none.
fn find(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_from_what_the_kernel_shows_and_none_is_none() {
        let shown = |limit: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max cpu time              unlimited            unlimited            seconds   \n\
                 Max file size             {limit:20} unlimited            bytes     \n"
            )
        };
        assert_eq!(find(&shown("307200")), Some(307_200));
        assert_eq!(find(&shown("unlimited")), None);
        assert_eq!(find(""), None);
    }
}
