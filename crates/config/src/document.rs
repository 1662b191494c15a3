//! A TOML text with the place of everything in it.

use std::{borrow::Cow, ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    key_path::{KeyPath, Step},
    problem::{Position, Problem, Problems},
};

/// A parsed TOML text.
#[derive(Clone, Debug)]
pub(crate) struct Document<'t> {
    file: String,
    text: Arc<str>,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Parses `text`; every syntax error is told.
    pub(crate) fn parse(file: &str, text: &'t str) -> Result<Self, Problems> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let text: Arc<str> = text.into();
        let at = |error: &toml::de::Error| error.span().unwrap_or_default();
        let problems =
            errors.iter().map(|it| Problem::in_file(file, &text, at(it), it.message())).collect();
        Problems::check(problems)?;
        Ok(Self { file: file.to_owned(), text, root })
    }

    pub(crate) fn root(&self) -> &DeTable<'t> {
        self.root.get_ref()
    }

    /// Sets a value that is not in the text, in place of what is.
    pub(crate) fn set(&mut self, keys: &[&str], value: DeValue<'t>) {
        let Some((last, tables)) = keys.split_last() else { return };
        let mut table = self.root.get_mut();
        for key in tables {
            if !table.get(*key).is_some_and(|it| it.get_ref().is_table()) {
                insert(table, key, DeValue::Table(DeTable::new()));
            }
            let Some(DeValue::Table(inner)) = table.get_mut(*key).map(Spanned::get_mut) else {
                return;
            };
            table = inner;
        }
        insert(table, last, value);
    }

    /// Reads the whole as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        T::deserialize(toml::Deserializer::from(self.root.clone()))
            .map_err(|error| self.problem(error.span().unwrap_or_default(), error.message()).into())
    }

    /// Something wrong at `span`.
    pub(crate) fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::in_file(&self.file, &self.text, span, message)
    }

    /// Something wrong with the value at `path`, or with the nearest thing above it that is in the text.
    pub(crate) fn problem_at(&self, path: &KeyPath, message: impl Into<String>) -> Problem {
        self.problem(self.nearest_span(path).0, message)
    }

    /// The line of the value at `path`, if it is in the text.
    pub(crate) fn line_of(&self, path: &KeyPath) -> Option<usize> {
        let (span, found) = self.nearest_span(path);
        (found == path.steps().len() && found > 0)
            .then(|| Position::of(&self.text, span.start).line)
    }

    /// The span of the longest part of `path` that is there, and how many steps that is.
    fn nearest_span(&self, path: &KeyPath) -> (Range<usize>, usize) {
        let mut span = 0..0;
        let mut table = Some(self.root.get_ref());
        let mut list: Option<&[Spanned<DeValue<'t>>]> = None;
        for (taken, step) in path.steps().iter().enumerate() {
            let value = match step {
                Step::Key(key) => match table.and_then(|it| it.get_key_value(key.as_str())) {
                    Some((key, value)) => {
                        span = if value.get_ref().is_table() { key.span() } else { value.span() };
                        value
                    }
                    None => return (span, taken),
                },
                Step::Index(index) => match list.and_then(|it| it.get(*index)) {
                    Some(value) => {
                        span = value.span();
                        value
                    }
                    None => return (span, taken),
                },
            };
            table = value.get_ref().as_table();
            list = value.get_ref().as_array().map(AsRef::as_ref);
        }
        (span, path.steps().len())
    }
}

/// Puts a value into a table in place of what is there; it has no place in the text.
fn insert<'t>(table: &mut DeTable<'t>, key: &str, value: DeValue<'t>) {
    table.remove(key);
    table.insert(Spanned::new(0..0, Cow::Owned(key.to_owned())), Spanned::new(0..0, value));
}
