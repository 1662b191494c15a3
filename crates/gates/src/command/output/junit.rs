//! `JUnit` XML on standard output: test cases that hold a `failure` or an `error`.
//!
//! Not an XML parser: it looks for the three elements that matter, in one pass, and gives up nothing but a finding
//! where a report is stranger than that.

use domain::verdict::Finding;

use super::Failures;
use crate::{limits::TEST_FINDING_BYTES_MAX, place};

/// Reads `JUnit` XML.
#[derive(Default)]
pub(crate) struct Junit {
    failures: Failures,
    open: Option<Case>,
}

/// A `testcase` that has begun.
struct Case {
    attributes: String,
    part: Part,
    body: String,
}

enum Part {
    Attributes { quote: Option<char> },
    Body,
}

impl Junit {
    pub(crate) fn line(&mut self, line: &str) {
        let mut rest = line;
        loop {
            let Some(case) = &mut self.open else {
                let Some((_, after)) = rest.split_once("<testcase ") else { return };
                let part = Part::Attributes { quote: None };
                self.open = Some(Case { attributes: String::new(), part, body: String::new() });
                rest = after;
                continue;
            };
            match case.part {
                Part::Attributes { quote } => match find_tag_end(rest, quote) {
                    Ok(end) => {
                        let is_empty = rest[..end].ends_with('/');
                        append(&mut case.attributes, &rest[..end]);
                        case.part = Part::Body;
                        rest = &rest[end + 1..];
                        self.open.take_if(|_| is_empty);
                    }
                    Err(quote) => {
                        append(&mut case.attributes, rest);
                        append(&mut case.attributes, " ");
                        case.part = Part::Attributes { quote };
                        return;
                    }
                },
                Part::Body => {
                    let Some((before, after)) = rest.split_once("</testcase>") else {
                        append(&mut case.body, rest);
                        append(&mut case.body, "\n");
                        return;
                    };
                    append(&mut case.body, before);
                    rest = after;
                    if let Some(finding) = self.open.take().and_then(Case::into_finding) {
                        self.failures.push(finding);
                    }
                }
            }
        }
    }

    /// A report that breaks off still names the test that it broke off in.
    pub(crate) fn finish(mut self) -> Failures {
        if let Some(finding) = self.open.take().and_then(Case::into_finding) {
            self.failures.push(finding);
        }
        self.failures
    }
}

impl Case {
    fn into_finding(self) -> Option<Finding> {
        let Self { attributes, part: _, body } = self;
        let start = ["<failure", "<error"]
            .iter()
            .filter_map(|tag| Some(body.find(tag)? + tag.len()))
            .min()?;
        let element = &body[start..];
        let end = find_tag_end(element, None).unwrap_or(element.len());
        let words =
            element.get(end + 1..).unwrap_or_default().split("</").next().unwrap_or_default();
        let words = words.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>");
        let name = attribute(&attributes, "name").unwrap_or_default();
        let test = attribute(&attributes, "classname")
            .filter(|it| !it.is_empty())
            .map_or(name.clone(), |class| format!("{class}.{name}"));
        let said =
            attribute(&element[..end], "message").map_or(String::new(), |said| format!(": {said}"));
        let message = format!("{test} failed{said}\n{}", unescape(words));
        Some(Finding {
            path: attribute(&attributes, "file").filter(|path| place::is_inside(path)),
            line: attribute(&attributes, "line").and_then(|line| line.parse().ok()),
            rule: Some(test),
            ..Finding::blocking(message.trim_end())
        })
    }
}

fn append(text: &mut String, more: &str) {
    // A cut body still begins with its failure.
    if text.len() <= 2 * TEST_FINDING_BYTES_MAX {
        text.push_str(more);
    }
}

/// Where a tag ends; the error is the quote that is still open.
fn find_tag_end(text: &str, mut quote: Option<char>) -> Result<usize, Option<char>> {
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Ok(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    Err(quote)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((key, after)) = rest.split_once('=') {
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(unescape(value));
        }
        rest = next;
    }
    None
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#10;", "\n"),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
