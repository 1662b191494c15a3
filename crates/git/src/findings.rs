//! A list of findings that stays readable.

use domain::verdict::Finding;

/// Findings that are told one by one.
pub(crate) const FINDINGS_MAX: usize = 20;

/// Findings, the first of them in full.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    told: Vec<Finding>,
    untold: usize,
}

impl Findings {
    /// Adds one.
    pub(crate) fn push(&mut self, finding: Finding) {
        if self.told.len() < FINDINGS_MAX {
            self.told.push(finding);
        } else {
            self.untold += 1;
        }
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Those to be told, and how many more there were.
    pub(crate) fn into_list(mut self) -> Vec<Finding> {
        if self.untold > 0 {
            self.told.push(Finding::blocking(format!("and {} more", self.untold)));
        }
        self.told
    }
}
