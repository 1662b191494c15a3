//! Findings that an author listed as data, and how many of them a verdict carries.

use domain::verdict::{Finding, Severity};
use serde_json::{Map, Value};

use crate::{
    limits::FINDINGS_MAX,
    place::{self, Place},
    text,
};

/// The findings of a list in front matter or JSON; none where `list` is no list.
pub(crate) fn listed(list: Option<&Value>) -> Vec<Finding> {
    let entries = list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    entries.iter().filter_map(finding).collect()
}

fn finding(entry: &Value) -> Option<Finding> {
    match entry {
        Value::Null => None,
        Value::Object(fields) => Some(from_fields(fields)),
        Value::String(message) => Some(placed(message.clone())),
        other => Some(placed(other.to_string())),
    }
}

/// A blocking finding about the place that its message names first.
fn placed(message: String) -> Finding {
    let place = Place::find(&message);
    with_place(Finding::blocking(message), place)
}

fn with_place(mut finding: Finding, place: Option<Place>) -> Finding {
    if let Some(Place { path, line }) = place {
        finding.path = Some(path);
        finding.line = Some(line);
    }
    finding
}

fn from_fields(fields: &Map<String, Value>) -> Finding {
    let word = |names: &[&str]| {
        names.iter().find_map(|&name| fields.get(name)?.as_str()).filter(|it| !it.trim().is_empty())
    };
    // Without words of its own, the entry itself is the message: nothing that a reviewer wrote is lost.
    let message = word(&["message", "summary"])
        .map_or_else(|| Value::Object(fields.clone()).to_string(), ToOwned::to_owned);
    let severity = word(&["severity"]).map_or(Severity::Blocking, severity);
    let rule = word(&["rule", "test"]).map(ToOwned::to_owned);
    let mut finding = Finding { severity, path: None, line: None, message, rule };
    if let Some(path) = word(&["path", "file"]) {
        finding = with_place(finding, Place::parse(path));
        if finding.path.is_none() && place::is_inside(path) {
            finding.path = Some(path.to_owned());
        }
    }
    if let Some(line) =
        fields.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok())
    {
        finding.line = Some(line);
    }
    finding
}

/// What a word for a weight means. An unknown one blocks: better one finding mended too many than one overlooked.
pub(crate) fn severity(word: &str) -> Severity {
    match word.trim().to_ascii_lowercase().as_str() {
        "p2" | "p3" | "advisory" => Severity::Advisory,
        _ => Severity::Blocking,
    }
}

/// Makes findings fit to be stored and shown: the blocking ones first, `bytes_max` in all; `whole` says where the
/// rest is.
pub(crate) fn fit(mut findings: Vec<Finding>, bytes_max: usize, whole: &str) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.severity);
    let mut left = bytes_max;
    let mut kept = Vec::new();
    let mut findings = findings.into_iter();
    for mut finding in findings.by_ref().take(FINDINGS_MAX) {
        let message = text::visible(&finding.message);
        let full = message.len() > left;
        finding.message = text::head(&message, left).into_owned();
        left = left.saturating_sub(finding.message.len());
        finding.path = finding.path.map(|path| text::visible(&path).into_owned());
        finding.rule = finding.rule.map(|rule| text::head(&text::visible(&rule), 200).into_owned());
        kept.push(finding);
        if full || left == 0 {
            break;
        }
    }
    let more = findings.count();
    if more > 0 {
        let message = format!("and {more} more in {whole}");
        kept.push(Finding {
            severity: Severity::Advisory,
            path: None,
            line: None,
            message,
            rule: None,
        });
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_to_list_a_finding_is_understood() {
        let list = json!([
            {"severity": "P1", "path": "src/a.rs", "line": 3, "message": "leaks", "rule": "security"},
            {"severity": "advisory", "file": "src/b.rs:9", "summary": "naming"},
            {"severity": "critical", "path": "/etc/passwd", "why": "x"},
            "`src/c.rs:7` crashes",
            null,
            7,
        ]);
        insta::assert_snapshot!(serde_json::to_string_pretty(&listed(Some(&list))).expect("JSON"));
    }

    #[test]
    fn what_is_no_list_holds_no_finding() {
        assert_eq!(listed(Some(&json!("P0: all of it"))), []);
        assert_eq!(listed(None), []);
    }

    #[test]
    fn blocking_findings_come_first_and_the_rest_is_counted() {
        let advice = Finding { severity: Severity::Advisory, ..Finding::blocking("advice") };
        let many = std::iter::once(advice)
            .chain((0..200).map(|n| Finding::blocking(format!("finding {n}"))))
            .collect();
        let kept = fit(many, 10_000, "`12-review.md`");
        assert_eq!(kept.len(), FINDINGS_MAX + 1);
        assert_eq!(kept[0].message, "finding 0");
        assert_eq!(kept[FINDINGS_MAX].message, "and 101 more in `12-review.md`");
    }

    #[test]
    fn a_finding_too_long_is_cut_and_ends_the_list() {
        let kept =
            fit(vec![Finding::blocking("x".repeat(50)), Finding::blocking("y")], 10, "the log");
        assert!(kept[0].message.starts_with("xxxxxxxxxx\n[cut: 40 more bytes]"));
        assert_eq!(kept[1].message, "and 1 more in the log");
    }
}
