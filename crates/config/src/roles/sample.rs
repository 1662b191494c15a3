//! Contexts that every template is tried with: one with nothing optional in it, one with everything.
//!
//! Words that come from others carry a mark that only `quote_data` and `one_line` take away: a template that writes
//! such words as they are gives itself away.

use domain::{
    brief::{Answer, BriefContext},
    name::RoleName,
    verdict::{Finding, Severity},
};

/// Each variable that holds somebody else's words, its mark, and how to write it.
const MARKS: &[(&str, char, &str)] = &[
    ("title", '\u{202a}', "{{ title | quote_data }}"),
    ("description", '\u{202b}', "{{ description | quote_data }}"),
    ("findings", '\u{202d}', "{{ findings | finding_list | quote_data }}"),
    ("answers", '\u{202e}', "{{ answer.answer | quote_data }}"),
    ("sent_back_by", '\u{2066}', "{{ sent_back_by | one_line }}"),
    ("checks", '\u{2067}', "{{ command | one_line }}"),
];

fn marked(variable: &str, text: &str) -> String {
    let mark = MARKS.iter().find(|(name, ..)| *name == variable).map_or(' ', |(_, mark, _)| *mark);
    format!("{text}{mark}")
}

/// The variable that a rendered template shows as it is, if any, and how to write it.
pub(super) fn shown_bare(rendered: &str) -> Option<(&'static str, &'static str)> {
    MARKS
        .iter()
        .find(|(_, mark, _)| rendered.contains(*mark))
        .map(|(name, _, instead)| (*name, *instead))
}

/// A first attempt that may write anything.
pub(super) fn empty(role: &RoleName) -> BriefContext {
    BriefContext {
        item: "ET-001".to_owned(),
        title: marked("title", "Add a flag"),
        description: String::new(),
        definition: "delivery".to_owned(),
        stage: "development".to_owned(),
        role: role.to_string(),
        attempt: 1,
        branch: "feature/ET-001-add-a-flag".to_owned(),
        target: "main".to_owned(),
        base: "0123456789".to_owned(),
        documents: "docs/work-items/ET-001".to_owned(),
        artifacts: Vec::new(),
        checks: Vec::new(),
        may_write: Vec::new(),
        may_not_write: Vec::new(),
        previous_commit: None,
        findings: Vec::new(),
        sent_back_by: None,
        answers: Vec::new(),
        time_limit_minutes: 30,
    }
}

/// A later attempt with everything to say.
pub(super) fn full(role: &RoleName) -> BriefContext {
    let finding = |path: Option<&str>| Finding {
        severity: Severity::Blocking,
        path: path.map(str::to_owned),
        line: path.map(|_| 7),
        message: marked("findings", "it does not work"),
        rule: Some(marked("findings", "rule")),
    };
    let answer = marked("answers", "yes");
    BriefContext {
        description: marked("description", "It should say which version it is.\n"),
        attempt: 2,
        artifacts: vec!["docs/work-items/ET-001/13-test-report.md".to_owned()],
        checks: vec![marked("checks", "make test")],
        may_write: vec!["src/**".to_owned()],
        may_not_write: vec!["docs/work-items/**".to_owned()],
        previous_commit: Some("89abcdef01".to_owned()),
        findings: vec![finding(Some("src/main.rs")), finding(None)],
        sent_back_by: Some(marked("sent_back_by", "tests")),
        answers: vec![Answer { question: answer.clone(), answer: answer.clone(), by: answer }],
        ..empty(role)
    }
}
