//! Front matter: YAML fields between two `---` lines at the very start of a text.

use serde_json::{Map, Value};

use crate::data;

/// A text taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split<'a> {
    /// It does not start with `---`.
    Without,
    /// The line that ends the front matter is missing.
    Open,
    /// It has front matter.
    With {
        /// Between the lines.
        yaml: &'a str,
        /// After them.
        body: &'a str,
    },
}

/// Why fields cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrontMatterError {
    #[error("has no front matter: its first line must be `---`")]
    Missing,
    #[error("has front matter that does not end: a second line `---` is missing")]
    Open,
    #[error("has front matter that is not YAML: {0}")]
    Malformed(String),
    #[error("has front matter that is not a list of `name: value` fields")]
    NotFields,
}

/// Takes `text` apart. Blank lines before it, and either kind of line end, are fine.
pub(crate) fn split(text: &str) -> Split<'_> {
    let mut lines = text.split_inclusive('\n');
    let mut at = 0;
    for line in lines.by_ref() {
        at += line.len();
        if is_fence(line) {
            break;
        }
        if !line.trim().is_empty() {
            return Split::Without;
        }
    }
    let start = at;
    if start == 0 || !is_fence(text[..start].lines().last().unwrap_or_default()) {
        return Split::Without;
    }
    for line in lines {
        if is_fence(line) {
            return Split::With { yaml: &text[start..at], body: &text[at + line.len()..] };
        }
        at += line.len();
    }
    Split::Open
}

/// The fields of `text`, and what comes after them.
pub(crate) fn parse(text: &str) -> Result<(Map<String, Value>, &str), FrontMatterError> {
    match split(text) {
        Split::Without => Err(FrontMatterError::Missing),
        Split::Open => Err(FrontMatterError::Open),
        Split::With { yaml, body } => {
            let mut documents = data::parse_yaml(yaml).map_err(FrontMatterError::Malformed)?;
            match (documents.pop(), documents.is_empty()) {
                (Some(Value::Object(fields)), true) => Ok((fields, body)),
                // `---` twice with nothing between: fields, but none.
                (None | Some(Value::Null), true) => Ok((Map::new(), body)),
                _ => Err(FrontMatterError::NotFields),
            }
        }
    }
}

/// Whether a line is `---`. Indented it is text: no YAML parser takes it for an end.
fn is_fence(line: &str) -> bool {
    line.trim_end() == "---"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_windows_line_ends_do_not_hide_front_matter() {
        assert_eq!(
            split("\r\n \n---\r\na: 1\r\n---\r\nbody\r\n"),
            Split::With { yaml: "a: 1\r\n", body: "body\r\n" }
        );
        assert_eq!(split("---\n---"), Split::With { yaml: "", body: "" });
    }

    #[test]
    fn front_matter_after_text_is_text() {
        for text in [
            "",
            "\n\n",
            "Review\n---\nverdict: APPROVED\n---\n",
            " ---\na: 1\n---\n",
            "----\na: 1\n---\n",
        ] {
            assert_eq!(split(text), Split::Without, "{text:?}");
        }
    }

    #[test]
    fn front_matter_without_an_end_is_broken() {
        assert_eq!(parse("---\nverdict: APPROVED\n ---\n"), Err(FrontMatterError::Open));
    }

    #[test]
    fn front_matter_that_holds_no_fields_is_broken() {
        assert_eq!(parse("---\n- a\n---\n"), Err(FrontMatterError::NotFields));
        assert_eq!(
            parse("---\nverdict: x\n--- {verdict: APPROVED}\n---\n"),
            Err(FrontMatterError::NotFields)
        );
    }
}
