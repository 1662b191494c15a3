//! Whether a signal was ignored when this process was started: whoever started it wants that to stay so.

use std::fs;

use tokio::signal::unix::SignalKind;

/// Asks the kernel. To be asked before anybody listens for the signal.
pub(crate) fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

fn ignores(status: &str, signal: SignalKind) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is the first signal.
    mask.is_some_and(|mask| mask >> (signal.as_raw_value() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_counts_as_ignored_only_where_the_kernel_says_so() {
        let (hangup, file_too_long) = (SignalKind::hangup(), SignalKind::from_raw(25));
        let first = "Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(ignores(first, hangup) && !ignores(first, file_too_long));
        assert!(!ignores("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t1\n", hangup));
        assert!(ignores("SigIgn:\t0000000001001000\n", file_too_long));
        assert!(!ignores("", hangup));
    }
}
