//! The end of a command's output, as much as fits into the next brief.

use std::collections::VecDeque;

use domain::limits::GATE_OUTPUT_LINES;

use crate::limits::FINDINGS_BYTES_MAX;

/// The last lines of a log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
    is_cut: bool,
}

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        self.lines.push_back(line.to_owned());
        self.bytes += line.len() + 1;
        self.shrink(GATE_OUTPUT_LINES, FINDINGS_BYTES_MAX);
    }

    /// The lines, last one first.
    pub(crate) fn backwards(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().rev().map(String::as_str)
    }

    fn shrink(&mut self, lines_max: usize, bytes_max: usize) {
        while self.lines.len() > lines_max || self.bytes > bytes_max {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.len() + 1;
            self.is_cut = true;
        }
    }

    fn drop_blank_ends(&mut self) {
        while self.lines.back().is_some_and(|line| line.trim().is_empty()) {
            self.bytes -= self.lines.pop_back().map_or(0, |line| line.len() + 1);
        }
    }

    fn text(&self) -> String {
        let mark = if self.is_cut { "[cut: earlier lines are in the log]\n" } else { "" };
        format!("{mark}{}", self.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))
    }
}

/// The end of both logs in at most `bytes_max` bytes, empty where both are. What one does not need, the other gets.
pub(crate) fn join(mut out: Tail, mut err: Tail, bytes_max: usize) -> String {
    out.drop_blank_ends();
    err.drop_blank_ends();
    let share = |half: usize, all: usize, other: usize| half.max(all.saturating_sub(other));
    let err_lines = share(GATE_OUTPUT_LINES / 2, GATE_OUTPUT_LINES, out.lines.len());
    let err_bytes = share(bytes_max / 2, bytes_max, out.bytes);
    err.shrink(err_lines, err_bytes);
    out.shrink(
        GATE_OUTPUT_LINES.saturating_sub(err.lines.len()),
        bytes_max.saturating_sub(err.bytes),
    );
    match (out.lines.is_empty(), err.lines.is_empty()) {
        (_, true) => out.text(),
        (true, false) => err.text(),
        (false, false) => format!("{}\n--- standard error ---\n{}", out.text(), err.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(line: &str, count: usize) -> Tail {
        let mut tail = Tail::default();
        (0..count).for_each(|n| tail.push(&format!("{line} {n}")));
        tail
    }

    #[test]
    fn a_short_log_leaves_its_room_to_the_long_one() {
        let joined = join(tail("out", 10_000), tail("err", 2), 12 * 1024);
        assert!(joined.ends_with("out 9999\n--- standard error ---\nerr 0\nerr 1"), "{joined}");
        assert_eq!(joined.matches("out ").count(), 498);
    }

    #[test]
    fn two_long_logs_share() {
        let joined = join(tail("out", 10_000), tail("err", 10_000), 12 * 1024);
        assert_eq!((joined.matches("out ").count(), joined.matches("err ").count()), (250, 250));
        assert_eq!(joined.matches("[cut: earlier lines are in the log]").count(), 2);
    }

    #[test]
    fn a_log_is_cut_by_bytes_too() {
        let joined = join(tail(&"x".repeat(1000), 100), Tail::default(), 4_000);
        assert!(joined.len() < 4_100 && joined.ends_with(" 99"));
    }

    #[test]
    fn nothing_printed_is_nothing_shown() {
        assert_eq!(join(Tail::default(), Tail::default(), 100), "");
    }
}
