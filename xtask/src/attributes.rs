//! Attributes that we do not use.

use crate::{
    complaint::Complaint,
    rust_source::{RustSource, closing, words},
    tree::TextFile,
};

/// Finds code that exists only in tests, other than `mod tests`: what is tested must be what runs.
pub fn test_only_code(file: &TextFile) -> Vec<Complaint> {
    let source = RustSource::parse(&file.text);
    let conditions =
        ["cfg(", "cfg!(", "cfg_attr("].iter().flat_map(|name| source.code.match_indices(name));
    let about_tests = conditions.filter(|(at, name)| {
        let open = at + name.len() - 1;
        let end = closing(&source.code, open);
        let condition = source.code[open..end]
            .split(if *name == "cfg_attr(" { ',' } else { '\n' })
            .next()
            .unwrap_or_default();
        words(condition, "test").next().is_some()
            && !(*name == "cfg(" && guards_test_module(&source.code[end..]))
    });
    about_tests
        .map(|(at, _)| {
            Complaint::at(&file.path, source.line_of(at), "`cfg(test)` belongs on `mod tests` only")
        })
        .collect()
}

/// Whether what follows the condition is `)]`, perhaps more attributes, and `mod tests`.
fn guards_test_module(after: &str) -> bool {
    let Some(mut rest) = after.strip_prefix(")]") else { return false };
    loop {
        rest = rest.trim_start();
        if !rest.starts_with("#[") {
            return words(rest, "mod tests").next() == Some(0);
        }
        rest = rest.get(closing(rest, 1) + 1..).unwrap_or_default();
    }
}

/// Finds serde attributes that accept what nobody meant, and tell the user nothing of use when they refuse.
pub fn loose_serde(file: &TextFile) -> Vec<Complaint> {
    let source = RustSource::parse(&file.text);
    let mut found = Vec::new();
    for (at, name) in source.code.match_indices("serde(") {
        let arguments = &source.code[at..closing(&source.code, at + name.len() - 1)];
        let loose = ["flatten", "untagged"]
            .into_iter()
            .filter(|word| words(arguments, word).next().is_some());
        found.extend(loose.map(|word| {
            Complaint::at(
                &file.path,
                source.line_of(at),
                format!("`serde({word})` hides unknown fields: tag the variants, name the fields"),
            )
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(found: &[Complaint]) -> Vec<Option<usize>> {
        found.iter().map(|complaint| complaint.line).collect()
    }

    fn test_only(text: &str) -> Vec<Option<usize>> {
        lines(&test_only_code(&TextFile::new("a.rs", text)))
    }

    #[test]
    fn code_for_tests_only_is_found() {
        assert_eq!(test_only("\n#[cfg(test)]\nfn now() {}"), [Some(2)]);
        assert_eq!(
            test_only(
                "#[cfg(not(test))]\nmod tests {}\n#[cfg(all(unix, test))]\nstatic A: u8 = 0;"
            ),
            [Some(3)]
        );
        assert_eq!(test_only("if cfg!(test) {}"), [Some(1)]);
        assert_eq!(test_only("#[cfg_attr(test, derive(Debug))]\nstruct A;"), [Some(1)]);
    }

    #[test]
    fn test_modules_and_other_conditions_are_not() {
        assert_eq!(test_only("#[cfg(test)]\nmod tests {}"), []);
        assert_eq!(test_only("#[cfg(test)]\n#[expect(dead_code, reason = \"x\")]\nmod tests;"), []);
        assert_eq!(test_only("#[cfg(unix)]\nfn a() {}\n// cfg(test) is for tests"), []);
        assert_eq!(test_only("#[cfg_attr(unix, test)]\nfn a() {}"), []);
    }

    #[test]
    fn serde_attributes_that_accept_anything_are_found() {
        let text = "#[serde(untagged)]\nenum A {}\nstruct B {\n    #[serde(default, flatten)]\n    c: C,\n}";
        assert_eq!(lines(&loose_serde(&TextFile::new("a.rs", text))), [Some(1), Some(4)]);
    }

    #[test]
    fn other_uses_of_those_words_are_not() {
        let text =
            "#[serde(rename = \"untagged\")]\nstruct A;\nfn b() { c.flatten() } // serde(flatten)";
        assert_eq!(loose_serde(&TextFile::new("a.rs", text)), []);
    }
}
