//! All the readers of test output, side by side.

use super::{Failures, cargo::Cargo, go::Go, junit::Junit, pytest::Pytest, tap::Tap};

/// Readers of one log.
#[derive(Default)]
pub(crate) struct Scanners {
    cargo: Cargo,
    go: Go,
    junit: Junit,
    pytest: Pytest,
    tap: Tap,
}

impl Scanners {
    pub(crate) fn line(&mut self, line: &str) {
        self.cargo.line(line);
        self.go.line(line);
        self.junit.line(line);
        self.pytest.line(line);
        self.tap.line(line);
    }

    pub(crate) fn finish(self) -> Failures {
        let Self { cargo, go, junit, pytest, tap } = self;
        let mut failures = cargo.finish();
        for more in [go.finish(), junit.finish(), pytest.finish(), tap.finish()] {
            failures.extend(more);
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &str) -> String {
        let mut scanners = Scanners::default();
        output.lines().for_each(|line| scanners.line(line));
        let failures = scanners.finish();
        let count = failures.count();
        format!(
            "{count}\n{}",
            serde_json::to_string_pretty(&failures.into_findings()).expect("JSON")
        )
    }

    #[test]
    fn cargo_test() {
        insta::assert_snapshot!(shown(include_str!("samples/cargo.txt")));
    }

    #[test]
    fn cargo_test_quiet() {
        assert!(
            shown(include_str!("samples/cargo.txt").replace("... FAILED", "... F").as_str())
                .starts_with("2\n")
        );
    }

    #[test]
    fn go_test() {
        insta::assert_snapshot!(shown(include_str!("samples/go.txt")));
    }

    #[test]
    fn junit_xml() {
        insta::assert_snapshot!(shown(include_str!("samples/junit.xml")));
    }

    #[test]
    fn pytest() {
        insta::assert_snapshot!(shown(include_str!("samples/pytest.txt")));
    }

    #[test]
    fn tap() {
        insta::assert_snapshot!(shown(include_str!("samples/tap.txt")));
    }

    #[test]
    fn words_that_only_look_like_a_failure_are_none() {
        for line in [
            "FAILED",
            "test of strength ... FAILED?",
            "not okay",
            "not ok, he said",
            "--- FAIL",
            "ERROR something - x",
            "<testcase",
        ] {
            assert!(shown(line).starts_with("0\n"), "{line}");
        }
    }

    #[test]
    fn endless_failures_are_counted_and_not_kept() {
        let line = "not ok 1 - x\n";
        assert!(shown(&line.repeat(100_000)).starts_with("100000\n"));
        assert!(shown(&line.repeat(100_000)).len() < 50_000);
    }

    #[test]
    fn a_failure_that_goes_on_for_ever_is_cut() {
        let endless = "goes on\n".repeat(100_000);
        for start in [
            "---- a stdout ----\n",
            "--- FAIL: A (0s)\n\t",
            "not ok 1\n  ---\n",
            "<testcase name=\"a\"><failure>",
        ] {
            assert!(
                shown(&format!("{start}{}", endless.replace('\n', "\n\t"))).len() < 10_000,
                "{start}"
            );
        }
    }
}
