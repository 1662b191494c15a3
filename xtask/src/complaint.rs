//! What a check says about one place.

use std::fmt;

/// Something that has to be mended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// The file, relative to the workspace.
    pub path: String,
    /// The line, from 1; absent where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong and what to do instead.
    pub what: String,
}

impl Complaint {
    /// A complaint about a file as a whole.
    pub fn about(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into() }
    }

    /// A complaint about one line of a file.
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// Panics with one line for each complaint; does nothing when there is none.
#[track_caller]
pub fn assert_none(mut complaints: Vec<Complaint>) {
    complaints.sort();
    let lines: Vec<_> = complaints.iter().map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "{} to mend:\n{}", lines.len(), lines.join("\n"));
}
