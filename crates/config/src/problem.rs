//! What is wrong in something that a person wrote: where, what, and what to do about it.

use std::{fmt, ops::Range, sync::Arc};

use miette::{Diagnostic, NamedSource, SourceSpan};

/// A place in a text, for people: both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in that line.
    pub column: usize,
}

impl Position {
    /// Where the byte `offset` of `text` is.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// One thing that is wrong. Its text is one line: `gatewright.toml:3:1: unknown key …`.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
#[error("{}: {message}", self.place())]
pub struct Problem {
    /// The file, or the variable or flag that the text came from.
    pub source_name: String,
    /// Where in the file; `None` for what is not in a file.
    pub position: Option<Position>,
    /// What is wrong, with the offending value.
    pub message: String,
    /// What to do.
    #[help]
    pub help: Option<String>,
    #[source_code]
    source_code: NamedSource<Arc<str>>,
    #[label]
    span: SourceSpan,
}

impl Problem {
    /// Something wrong at `span` of the text of a file.
    pub(crate) fn in_file(
        file: &str,
        text: &Arc<str>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            source_name: file.to_owned(),
            position: Some(Position::of(text, span.start)),
            message: message.into(),
            help: None,
            source_code: NamedSource::new(file, Arc::clone(text)),
            span: span.into(),
        }
    }

    /// Something wrong with the value of an environment variable or a flag.
    pub(crate) fn in_value(name: &str, message: impl Into<String>) -> Self {
        Self {
            source_name: name.to_owned(),
            position: None,
            message: message.into(),
            help: None,
            source_code: NamedSource::new(name, Arc::from("")),
            span: (0, 0).into(),
        }
    }

    #[must_use]
    pub(crate) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    #[must_use]
    pub(crate) fn with_help_if(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    fn place(&self) -> String {
        match self.position {
            Some(Position { line, column }) => format!("{}:{line}:{column}", self.source_name),
            None => self.source_name.clone(),
        }
    }
}

/// Everything that was found wrong at once; never empty.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
pub struct Problems {
    /// In the order of the file.
    #[related]
    pub all: Vec<Problem>,
}

impl Problems {
    /// Nothing, where nothing was found.
    pub(crate) fn check(mut all: Vec<Problem>) -> Result<(), Self> {
        all.sort_by_key(|it| it.position);
        if all.is_empty() { Ok(()) } else { Err(Self { all }) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { all: vec![problem] }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.all.split_first() else { return Ok(()) };
        write!(f, "{first}")?;
        if rest.is_empty() { Ok(()) } else { write!(f, " (and {} more)", rest.len()) }
    }
}
