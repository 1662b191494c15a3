//! How a module begins and how long it may be.

use crate::{complaint::Complaint, tree::TextFile};

/// Above this a file answers more than one question.
pub const LINES_MAX: usize = 800;

/// Finds a module that does not say what it is for.
pub fn doc_line(file: &TextFile) -> Vec<Complaint> {
    let says = file
        .text
        .strip_prefix("//!")
        .is_some_and(|rest| !rest.lines().next().unwrap_or_default().trim().is_empty());
    if says {
        Vec::new()
    } else {
        vec![Complaint::at(
            &file.path,
            1,
            "starts without a `//!` line that says what the module is for",
        )]
    }
}

/// Finds a file that is too long and stands not among the `exceptions` (path and reason), and exceptions that
/// are none any more.
pub fn length(files: &[TextFile], exceptions: &[(&str, &str)]) -> Vec<Complaint> {
    let excepted = |file: &TextFile| exceptions.iter().any(|(path, _)| *path == file.path);
    let too_long = |file: &&TextFile| file.text.lines().count() > LINES_MAX;
    let complaint = |file: &TextFile| {
        let lines = file.text.lines().count();
        Complaint::about(
            &file.path,
            format!("has {lines} lines, {LINES_MAX} are allowed: give each question its own file"),
        )
    };
    let long: Vec<_> = files.iter().filter(too_long).collect();
    let stale = exceptions.iter().filter(|(path, _)| !long.iter().any(|file| file.path == *path));
    let mut found: Vec<_> =
        long.iter().filter(|file| !excepted(file)).map(|file| complaint(file)).collect();
    found.extend(
        stale.map(|(path, _)| Complaint::about(path, "is no longer too long: drop its exception")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_word_about_itself_is_found() {
        for (text, complaints) in
            [("//! Says it.\n", 0), ("use std::fmt;\n", 1), ("//!\n", 1), ("", 1)]
        {
            assert_eq!(doc_line(&TextFile::new("a.rs", text)).len(), complaints, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_found_unless_it_is_excepted() {
        let files = [
            TextFile::new("long.rs", &"\n".repeat(LINES_MAX + 1)),
            TextFile::new("full.rs", &"\n".repeat(LINES_MAX)),
        ];
        assert_eq!(length(&files, &[]).len(), 1);
        assert_eq!(length(&files, &[("long.rs", "a table")]), []);
    }

    #[test]
    fn an_exception_that_is_needed_no_more_is_found() {
        assert_eq!(length(&[], &[("gone.rs", "a table")]).len(), 1);
    }
}
