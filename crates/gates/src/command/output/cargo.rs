//! `cargo test`: `test NAME ... FAILED`, and later what each of them printed.

use std::collections::BTreeMap;

use domain::verdict::Finding;

use super::{Failures, failures::Lines};
use crate::place::Place;

/// Failed tests that are told apart by name.
const NAMES_MAX: usize = 1000;

/// Reads the output of `cargo test`.
#[derive(Default)]
pub(crate) struct Cargo {
    /// What each failed test printed, as far as that is known.
    tests: BTreeMap<String, Lines>,
    open: Option<(String, Lines)>,
}

impl Cargo {
    pub(crate) fn line(&mut self, line: &str) {
        let between = |start: &str, end: &str| {
            line.strip_prefix(start)?.strip_suffix(end).map(ToOwned::to_owned)
        };
        if let Some(name) = between("test ", " ... FAILED") {
            self.keep(name, Lines::default());
        } else if let Some(name) = between("---- ", " stdout ----") {
            self.close();
            self.open = Some((name, Lines::default()));
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.close();
        } else if let Some((_, lines)) = &mut self.open
            && !line.starts_with("note: run with `RUST_BACKTRACE=")
        {
            lines.push(line);
        }
    }

    pub(crate) fn finish(mut self) -> Failures {
        self.close();
        let mut failures = Failures::default();
        for (name, lines) in self.tests {
            let text = lines.text();
            let message = if text.is_empty() {
                format!("test {name} failed")
            } else {
                format!("test {name} failed:\n{text}")
            };
            let panic =
                text.lines().find_map(|line| Place::find(line.split_once("panicked at ")?.1));
            let (path, line) =
                panic.map_or((None, None), |Place { path, line }| (Some(path), Some(line)));
            failures.push(Finding { path, line, rule: Some(name), ..Finding::blocking(message) });
        }
        failures
    }

    fn close(&mut self) {
        if let Some((name, lines)) = self.open.take() {
            self.keep(name, lines);
        }
    }

    fn keep(&mut self, name: String, lines: Lines) {
        if self.tests.len() < NAMES_MAX || self.tests.contains_key(&name) {
            self.tests.insert(name, lines);
        }
    }
}
