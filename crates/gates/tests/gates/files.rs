//! `absent`, `questions`, `approval`, and what holds for all gates.

use domain::{
    definition::Check,
    verdict::{Severity, VerdictOutcome},
};
use ports::GateAnswer;

use crate::support::world;

fn absent() -> Check {
    Check::Absent { path: "docs/{item}/10-conflict.md".to_owned() }
}

fn questions() -> Check {
    Check::Questions { path: "docs/{item}/01-questions.md".to_owned() }
}

#[tokio::test]
async fn a_file_that_is_absent_passes() {
    assert_eq!(world(&[]).judge(absent()).await.outcome, VerdictOutcome::Pass);
}

#[tokio::test]
async fn a_file_that_must_be_absent_is_the_finding() {
    let verdict = world(&[("docs/ET-001/10-conflict.md", "A and B exclude\neach other.\n")])
        .judge(absent())
        .await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    assert_eq!(verdict.findings[0].message, "A and B exclude\neach other.");
    assert_eq!(verdict.findings[0].path.as_deref(), Some("docs/ET-001/10-conflict.md"));
}

#[tokio::test]
async fn an_empty_file_or_a_link_is_not_absent() {
    let empty = world(&[("docs/ET-001/10-conflict.md", "\n")]).judge(absent()).await;
    assert_eq!(
        (empty.outcome, empty.findings[0].severity),
        (VerdictOutcome::Fail, Severity::Blocking)
    );
    let link = world(&[]).with_link("docs/ET-001/10-conflict.md").judge(absent()).await;
    assert_eq!(link.outcome, VerdictOutcome::Fail);
}

#[tokio::test]
async fn questions_go_to_a_person() {
    let text = "1. Which format?\u{1b}[2K\u{202e}\r\n2. Why?\n";
    let answer = world(&[("docs/ET-001/01-questions.md", text)]).ask(questions()).await.unwrap();
    let GateAnswer::Ask { questions } = answer else { panic!("{answer:?}") };
    assert_eq!(questions, "1. Which format?\\u{202e}\n2. Why?");
}

#[tokio::test]
async fn endless_questions_are_cut() {
    let answer = world(&[("docs/ET-001/01-questions.md", &"why? ".repeat(10_000))])
        .ask(questions())
        .await
        .unwrap();
    let GateAnswer::Ask { questions } = answer else { panic!("{answer:?}") };
    assert!(questions.len() < 13 * 1024 && questions.contains("[cut: "));
}

#[tokio::test]
async fn no_questions_pass_and_empty_ones_are_sent_back() {
    assert_eq!(world(&[]).judge(questions()).await.outcome, VerdictOutcome::Pass);
    let verdict = world(&[("docs/ET-001/01-questions.md", " \n")]).judge(questions()).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
    let verdict = world(&[]).with_link("docs/ET-001/01-questions.md").judge(questions()).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Fail);
}

#[tokio::test]
async fn an_approval_is_not_judged_by_a_program() {
    let check = Check::Approval { question: "Ship it?".to_owned(), show: Vec::new() };
    let error = world(&[]).ask(check).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "gate `tests` could not answer: a person approves, not a program"
    );
}

#[tokio::test]
async fn a_branch_that_touches_what_decides_about_gates_is_flagged() {
    let world = world(&[
        ("gatewright.toml", "x"),
        (".gatewright/roles/tester.md", "x"),
        ("src/gatewright.toml", "x"),
    ])
    .with_base("gatewright.toml", "y")
    .with_base(".gatewright/pipelines/solo.toml", "z");
    let verdict = world.judge(absent()).await;
    assert_eq!(verdict.outcome, VerdictOutcome::Pass);
    let paths: Vec<_> =
        verdict.findings.iter().map(|it| (it.severity, it.path.as_deref().unwrap())).collect();
    assert_eq!(
        paths,
        [
            (Severity::Advisory, ".gatewright/pipelines/solo.toml"),
            (Severity::Advisory, ".gatewright/roles/tester.md"),
            (Severity::Advisory, "gatewright.toml"),
        ]
    );
}
