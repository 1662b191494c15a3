//! What came of a storm.

use std::fmt;

/// Counts, and what must not have been.
#[derive(Debug)]
pub struct Report {
    title: String,
    rows: Vec<(String, String)>,
    /// One sentence each; none where everything held.
    pub violations: Vec<String>,
}

impl Report {
    pub(crate) fn new(title: String) -> Self {
        Self { title, rows: Vec::new(), violations: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: impl Into<String>, count: &impl ToString) {
        self.rows.push((what.into(), count.to_string()));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {:<48} | {:>8} |", self.title, "")?;
        writeln!(f, "| {:-<48} | {:->7}: |", "", "")?;
        for (what, count) in &self.rows {
            writeln!(f, "| {what:<48} | {count:>8} |")?;
        }
        for violation in &self.violations {
            writeln!(f, "violation: {violation}")?;
        }
        Ok(())
    }
}
