//! Failed tests that were found in an output.

use domain::verdict::Finding;

use crate::{
    limits::{FINDINGS_MAX, TEST_FINDING_BYTES_MAX},
    text,
};

/// Failed tests: all are counted, the first ones kept.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    findings: Vec<Finding>,
    count: usize,
}

impl Failures {
    pub(crate) fn push(&mut self, finding: Finding) {
        self.count += 1;
        if self.findings.len() < FINDINGS_MAX {
            let message = text::head(&finding.message, TEST_FINDING_BYTES_MAX).into_owned();
            self.findings.push(Finding { message, ..finding });
        }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.count += other.count;
        let room = FINDINGS_MAX - self.findings.len();
        self.findings.extend(other.findings.into_iter().take(room));
    }

    /// How many tests failed.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// Lines of one failure, as many as are kept of it.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    pub(crate) fn push(&mut self, line: &str) {
        // One byte more than is kept makes the cut visible.
        if self.text.len() <= TEST_FINDING_BYTES_MAX {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.text.trim_matches('\n').trim_end()
    }
}
