//! What was found, a line each.

use api::FindingView;
use domain::verdict::{Severity, in_short};

use super::{one_line, safe};

/// Findings, a line each, at most `max` of them: for whoever looks over what happened.
pub(crate) fn findings_in_short(findings: &[FindingView], max: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        findings.iter().take(max).map(|it| one_line(&line(it, &in_short(&it.message)))).collect();
    if findings.len() > max {
        lines.push(format!("and {} more", findings.len() - max));
    }
    lines
}

/// Findings word for word: for whoever mends them or decides on them.
pub(crate) fn findings_in_full(findings: &[FindingView]) -> Vec<String> {
    let lines = |finding: &FindingView| {
        let mut rest = finding.message.trim().lines();
        let mut lines = vec![safe(&line(finding, rest.next().unwrap_or_default()))];
        lines.extend(rest.map(|line| format!("      {}", safe(line)).trim_end().to_owned()));
        lines
    };
    findings.iter().flat_map(lines).collect()
}

/// What a finding is about, and as much of its message.
fn line(finding: &FindingView, message: &str) -> String {
    let FindingView { severity, path, line, message: _, rule } = finding;
    let mark = match severity {
        Severity::Blocking => "must",
        Severity::Advisory => "note",
    };
    let place = match (path, line) {
        (Some(path), Some(line)) => format!("{path}:{line}: "),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let rule = rule.as_ref().map(|rule| format!(" [{rule}]")).unwrap_or_default();
    format!("{mark}  {place}{message}{rule}")
}
