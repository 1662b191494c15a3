//! How a process that holds a data directory calls itself, and what others make of that.

use jiff::Timestamp;

/// Which process this is, what it does, since when.
pub(crate) fn of(command: &str) -> String {
    format!("pid {}, `gatewright {command}`, since {:.0}", std::process::id(), Timestamp::now())
}

/// The process that calls itself so: `pid 7, …`.
pub(crate) fn pid(words: &str) -> Option<u32> {
    words.strip_prefix("pid ")?.split(',').next()?.trim().parse().ok()
}

/// The process that calls itself so, where it is stopped: it holds what it has and hears no signal but one.
pub(crate) fn find_stopped(words: &str) -> Option<u32> {
    let pid = pid(words)?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    is_stopped(&stat).then_some(pid)
}

/// The same words, with what to do where that process is stopped.
pub(crate) fn told(words: String) -> String {
    match find_stopped(&words) {
        Some(pid) => format!("{words}, which is stopped: `kill -CONT {pid}` lets it go on"),
        None => words,
    }
}

/// Whether a line of `/proc/PID/stat` is of a process that is stopped, by a signal or by whoever traces it. The name of a
/// program may hold anything, but nothing behind it holds a parenthesis.
fn is_stopped(stat: &str) -> bool {
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('T' | 't'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_known_by_its_process() {
        assert_eq!(pid(&of("run")), Some(std::process::id()));
        assert_eq!(pid("pid 71, `gatewright run`, since 2026-01-01T00:00:00Z"), Some(71));
        assert_eq!(pid("another process"), None);
        assert_eq!(find_stopped(&of("run")), None, "this one is at work");
    }

    #[test]
    fn a_process_that_is_stopped_shows_it_behind_whatever_it_is_called() {
        assert!(is_stopped("71 (gatewright) T 1 71 71 0"));
        assert!(is_stopped("71 (a) R (b)) t 1"));
        assert!(!is_stopped("71 (T) T) S 1"));
        assert!(!is_stopped(""));
    }
}
