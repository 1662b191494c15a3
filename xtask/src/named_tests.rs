//! Numbered lists of what must hold, the invariants of `ARCHITECTURE.md` and the failure reports of
//! `docs/dev/durability.md`: each item names the test that holds it.
//!
//! An item is ``- **I1** A pipeline moves one step at a time. (test: `domain::pipeline::tests::…`)``, with a letter for the
//! list. A test is named by its path, of which the crate and the last name count, or by a file, perhaps with `::` and a
//! name. A report that concerns something which is not built yet says so instead: `(later: PostgreSQL)`. An invariant does
//! not: what does not hold is none.

use std::collections::BTreeSet;

use crate::{complaint::Complaint, rust_source::RustSource, tree::TextFile};

/// The letter of the failure reports.
const REPORTS: char = 'F';

/// Finds items of the list of that letter that name no test, or one that does not exist, and numbers that are missing or
/// doubled.
pub fn complaints(document: &TextFile, letter: char, rust_files: &[TextFile]) -> Vec<Complaint> {
    let items = items(&document.text, letter);
    let mut found = Vec::new();
    if items.is_empty() {
        let what = format!("has no list of that kind (`- **{letter}1** … (test: `…`)`)");
        found.push(Complaint::about(&document.path, what));
    }
    for (index, item) in items.iter().enumerate() {
        let mut complain = |what| {
            let what = format!("{letter}{} {what}", item.number);
            found.push(Complaint::at(&document.path, item.line, what));
        };
        if item.number != index + 1 {
            complain(format!("stands where {letter}{} is expected", index + 1));
        }
        if item.tests.is_empty() && !(item.is_for_later && letter == REPORTS) {
            complain("names no test: end it with (test: `…`)".to_owned());
        }
        for name in item.tests.iter().filter(|name| !exists(name, rust_files)) {
            complain(format!("names `{name}`, and there is no such test"));
        }
    }
    found
}

struct Item {
    number: usize,
    line: usize,
    tests: Vec<String>,
    is_for_later: bool,
}

fn items(text: &str, letter: char) -> Vec<Item> {
    let mark = format!("- **{letter}");
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let start = line.strip_prefix(&mark).and_then(|rest| rest.split_once("**"));
        if let Some((number, rest)) =
            start.and_then(|(number, rest)| Some((number.parse().ok()?, rest)))
        {
            found.push((number, index + 1, rest.to_owned()));
            open = true;
        } else if open && line.starts_with("  ") {
            let (_, _, so_far) = found.last_mut().expect("an item is open");
            so_far.push(' ');
            so_far.push_str(line.trim());
        } else {
            open = false;
        }
    }
    let tests = |text: &str| {
        let list = text
            .split_once("(test: ")
            .or_else(|| text.split_once("(tests: "))
            .map_or("", |(_, list)| list);
        let list = list.split_once(')').map_or(list, |(list, _)| list);
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    found
        .into_iter()
        .map(|(number, line, text)| {
            let is_for_later = text.contains("(later: ");
            Item { number, line, tests: tests(&text), is_for_later }
        })
        .collect()
}

fn exists(name: &str, rust_files: &[TextFile]) -> bool {
    if let Some((path, test)) = name.split_once(".rs::") {
        let path = format!("{path}.rs");
        return rust_files.iter().any(|file| file.path == path && tests_of(file).contains(test));
    }
    let Some((package, rest)) = name.split_once("::") else {
        return rust_files.iter().any(|file| file.path == name && !tests_of(file).is_empty());
    };
    let directories = [format!("{package}/"), format!("crates/{}/", package.replace('_', "-"))];
    let test = rest.rsplit("::").next().unwrap_or_default();
    let in_crate =
        |file: &&TextFile| directories.iter().any(|directory| file.path.starts_with(directory));
    rust_files.iter().filter(in_crate).any(|file| tests_of(file).contains(test))
}

/// The functions of a file that are tests. The suites of `testkit` are plain functions, which adapters call.
fn tests_of(file: &TextFile) -> BTreeSet<String> {
    let source = RustSource::parse(&file.text);
    let suite = file.path.starts_with("crates/testkit/");
    let functions = source.find_word("fn").filter(|at| {
        let before = &source.code[..*at];
        let start = before.rfind(['{', '}', ';']).map_or(0, |end| end + 1);
        suite
            || before[start..]
                .split("#[")
                .skip(1)
                .any(|attribute| attribute.split([']', '(']).next().is_some_and(is_test))
    });
    let name = |at: usize| {
        source.code[at + 2..].trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next()
    };
    functions.filter_map(name).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// `test`, `tokio::test` and the like.
fn is_test(attribute: &str) -> bool {
    attribute.trim().rsplit("::").next() == Some("test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(architecture: &str) -> Vec<String> {
        wrong_in('I', architecture)
    }

    fn wrong_in(letter: char, document: &str) -> Vec<String> {
        let files = [
            TextFile::new(
                "crates/store-sqlite/tests/crash.rs",
                "#[tokio::test(flavor = \"multi_thread\")]\n#[expect(lint)]\nasync fn nothing_is_lost() {}\nfn helper() {}",
            ),
            TextFile::new("crates/testkit/src/suite.rs", "pub fn a_lease_has_one_holder() {}"),
            TextFile::new("crates/domain/src/lib.rs", "fn plain() {}"),
        ];
        let found = complaints(&TextFile::new("ARCHITECTURE.md", document), letter, &files);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tests_are_found_by_path_by_file_and_in_the_suites() {
        let text = "- **I1** Nothing is lost,\n  ever. (test: `store_sqlite::crash::nothing_is_lost`,\n  `testkit::suite::a_lease_has_one_holder`)\n\
                    - **I2** Really. (test: `crates/store-sqlite/tests/crash.rs`)\n\
                    - **I3** Yes. (test: `crates/store-sqlite/tests/crash.rs::nothing_is_lost`)\n";
        assert_eq!(wrong(text), [""; 0]);
    }

    #[test]
    fn an_invariant_without_a_test_is_found() {
        assert_eq!(
            wrong("- **I1** Hope."),
            ["ARCHITECTURE.md:1: I1 names no test: end it with (test: `…`)"]
        );
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        for name in [
            "store_sqlite::gone",
            "store_sqlite::helper",
            "domain::plain",
            "crates/gone.rs",
            "crates/domain/src/lib.rs",
        ] {
            let found = wrong(&format!("- **I1** Hope. (test: `{name}`)"));
            assert_eq!(
                found,
                [format!("ARCHITECTURE.md:1: I1 names `{name}`, and there is no such test")]
            );
        }
    }

    #[test]
    fn a_number_that_is_missing_is_found() {
        let found = wrong("- **I2** Yes. (test: `store_sqlite::nothing_is_lost`)");
        assert_eq!(found, ["ARCHITECTURE.md:1: I2 stands where I1 is expected"]);
    }

    #[test]
    fn a_report_of_what_is_not_built_yet_needs_no_test_and_an_invariant_does() {
        let later = |letter: char| {
            wrong_in(
                letter,
                &format!("- **{letter}1** The other store, too.\n  (later: PostgreSQL)"),
            )
        };
        assert_eq!(later('F'), [""; 0]);
        assert_eq!(later('I').len(), 1);
    }

    #[test]
    fn a_map_without_invariants_is_found() {
        assert_eq!(wrong("# Architecture\n").len(), 1);
    }
}
