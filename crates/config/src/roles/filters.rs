//! What templates can do with values, and the engine that does it.

use std::fmt::Write as _;

use domain::{limits::BRIEF_FINDINGS_BYTES_MAX, verdict::Finding};
use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};

use super::quote;

/// Steps that one brief may take to render: far more than any needs, and an end to a loop in a loop.
const TEMPLATE_FUEL: u64 = 200_000;

/// Templates that others include.
const PARTS: &[(&str, &str)] = &[
    ("parts/item.md", include_str!("../../../../roles/parts/item.md")),
    ("parts/mend.md", include_str!("../../../../roles/parts/mend.md")),
    ("parts/verdict.md", include_str!("../../../../roles/parts/verdict.md")),
    ("parts/end.md", include_str!("../../../../roles/parts/end.md")),
];

/// A strict engine that knows our filters and parts.
pub(super) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(TEMPLATE_FUEL));
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    engine.set_syntax(syntax.expect("the delimiters are the usual ones"));
    engine.add_filter("quote_data", |text: &str| quote::quote_data(text));
    engine.add_filter("one_line", |text: &str| quote::one_line(text));
    engine.add_filter("finding_list", |findings: Serde<Vec<Finding>>| finding_list(&findings));
    for (name, text) in PARTS {
        engine.add_template(name, text).expect("built-in parts are tested");
    }
    engine
}

/// Findings as a numbered list, word for word, as many as fit.
fn finding_list(findings: &[Finding]) -> String {
    let mut list = String::new();
    for (index, finding) in findings.iter().enumerate() {
        let entry = entry(index + 1, finding);
        let room = BRIEF_FINDINGS_BYTES_MAX.saturating_sub(list.len());
        if entry.len() <= room {
            list.push_str(&entry);
            continue;
        }
        list.push_str(&entry[..entry.floor_char_boundary(room)]);
        let (left, all) = (findings.len() - index - 1, findings.len());
        let cut = format!(
            "\n[cut here: finding {} of {all} does not fit and {left} more follow it. \
             The whole is in the files that are named, or comes up again when you run the checks.]\n",
            index + 1
        );
        list.push_str(&cut);
        break;
    }
    list
}

fn entry(number: usize, finding: &Finding) -> String {
    let Finding { severity, path, line, message, rule } = finding;
    let mut entry = format!("{number}. {severity}");
    if let Some(path) = path {
        write!(entry, ", {path}").expect("writing to a string");
    }
    if let Some(line) = line {
        write!(entry, ":{line}").expect("writing to a string");
    }
    if let Some(rule) = rule {
        write!(entry, " ({rule})").expect("writing to a string");
    }
    writeln!(entry, "\n{}\n", message.trim_end()).expect("writing to a string");
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_word_for_word_until_there_is_no_more_room() {
        let few = [
            Finding::blocking("an empty line\n  ends the file").at("src/a.rs"),
            Finding::blocking("b"),
        ];
        assert_eq!(
            finding_list(&few),
            "1. blocking, src/a.rs\nan empty line\n  ends the file\n\n2. blocking\nb\n\n"
        );
        let many = vec![Finding::blocking("é".repeat(4000)); 3];
        let list = finding_list(&many);
        assert!(list.len() < BRIEF_FINDINGS_BYTES_MAX + 300, "{}", list.len());
        assert!(
            list.contains("finding 2 of 3 does not fit and 1 more follow it"),
            "{}",
            &list[list.len() - 300..]
        );
    }
}
