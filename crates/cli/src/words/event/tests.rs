//! Events as people read them.

use domain::{
    decision::{Choice, DecisionKind},
    failure::{Failure, FailureClass},
    id::{DecisionId, RunId},
    job::Work,
    name::{GateName, RoleName, StageName},
    pipeline::EventKind,
    revision::CommitSha,
    usage::Usage,
    verdict::{Finding, VerdictOutcome},
};

use super::{event_line, tone_of_event};
use crate::words::Tone;

fn stage(name: &str) -> StageName {
    StageName::new(name).unwrap()
}

fn sha() -> CommitSha {
    CommitSha::new("c0ffee".repeat(7)[..40].to_owned()).unwrap()
}

fn sent_back(from: &str, to: &str, by: &str, max: Option<u32>, words: &[&str]) -> EventKind {
    EventKind::SentBack {
        from: stage(from),
        to: stage(to),
        by: by.to_owned(),
        count: 1,
        max,
        findings: words.iter().map(|it| Finding::blocking(*it)).collect(),
    }
}

fn opened(kind: DecisionKind, question: &str) -> EventKind {
    EventKind::DecisionOpened {
        decision: DecisionId::from_u128(7),
        kind,
        question: question.to_owned(),
    }
}

fn line(event: &EventKind) -> String {
    event_line(event).expect("a line")
}

#[test]
fn a_bounce_says_from_where_to_where_how_often_by_what_and_why() {
    let event = sent_back(
        "review",
        "development",
        "verdict",
        Some(3),
        &["`--version` prints to standard error", "b"],
    );
    assert_eq!(
        line(&event),
        "review sent the work back to development (1 of 3, by verdict): `--version` prints to standard error (and 1 more)"
    );
    assert_eq!(
        line(&sent_back("analysis", "analysis", "maria", None, &["Use `-V`."])),
        "maria sent the work back from analysis to analysis: Use `-V`."
    );
    assert_eq!(
        line(&sent_back("build", "build", "hand-in", Some(2), &[])),
        "stage build is done once more because of hand-in (1 of 2)"
    );
}

#[test]
fn a_gate_says_how_it_answered_in_words_and_in_colour() {
    let judged = |outcome| EventKind::GateJudged {
        stage: stage("build"),
        gate: GateName::new("tests").unwrap(),
        commit: sha(),
        outcome,
        summary: "`make test` exited with 1".to_owned(),
    };
    let cases = [
        (VerdictOutcome::Pass, "gate tests passed: ", Tone::Good),
        (VerdictOutcome::Fail, "gate tests failed: ", Tone::Bad),
        (VerdictOutcome::Error, "gate tests could not answer: ", Tone::Attention),
        (VerdictOutcome::Waived, "gate tests was waived: ", Tone::Attention),
    ];
    for (outcome, words, tone) in cases {
        let event = judged(outcome);
        assert!(line(&event).starts_with(words), "{}", line(&event));
        assert_eq!(tone_of_event(&event), tone);
    }
}

/// A restart that reads like a retry has people look for a fault in the agent.
#[test]
fn what_was_lost_to_a_restart_does_not_read_like_a_retry() {
    let retried = |class, message: &str| EventKind::JobRetried {
        stage: stage("build"),
        work: Work::Agent { role: RoleName::new("developer").unwrap() },
        failure: Failure::new(class, message),
    };
    let cases = [
        (
            retried(FailureClass::Lost, "the orchestrator ended; its agent is still at work"),
            "stage build: agent developer goes back to the queue, no try is spent: the orchestrator ended; its agent is still at work",
        ),
        (
            retried(FailureClass::Permanent, "exited with code 1"),
            "stage build: agent developer is tried again: exited with code 1",
        ),
        (
            retried(FailureClass::Credentials, "who are you?"),
            "stage build: agent developer is held back: who are you?",
        ),
    ];
    for (event, words) in cases {
        assert_eq!(line(&event), words);
    }
}

#[test]
fn an_agent_is_told_by_what_it_handed_in_and_used() {
    let finished = |head, changed_paths, usage| EventKind::AgentFinished {
        stage: stage("build"),
        role: RoleName::new("developer").unwrap(),
        run: RunId::from_u128(1),
        head,
        changed_paths,
        usage,
    };
    let usage = Usage { output_tokens: 12_345, cost_usd: Some(0.5), ..Usage::default() };
    assert_eq!(
        line(&finished(Some(sha()), 1, usage)),
        "agent developer handed in 1 file (commit c0ffeec0ff), 12.3k tokens, $0.50"
    );
    assert_eq!(
        line(&finished(None, 0, Usage::default())),
        "agent developer ended, nothing was taken over"
    );
}

#[test]
fn a_question_ends_with_the_command_that_answers_it_however_long_it_is() {
    let id = DecisionId::from_u128(7);
    let long = "word ".repeat(500);
    assert!(
        line(&opened(DecisionKind::Approval, &long)).ends_with(&format!("gatewright approve {id}"))
    );
    assert!(
        line(&opened(DecisionKind::Question, &long)).ends_with("--choice answer --comment \"…\"")
    );
    for kind in [DecisionKind::Escalation, DecisionKind::Limit] {
        assert!(line(&opened(kind, &long)).ends_with(&format!("gatewright decisions show {id}")));
    }
}

#[test]
fn words_of_others_cannot_break_out_of_their_line() {
    let comment = "ok\u{1b}[2K\r\nstage done passed\u{202e}".to_owned();
    let event = EventKind::DecisionResolved {
        decision: DecisionId::from_u128(7),
        choice: Choice::Retry,
        comment,
    };
    assert_eq!(line(&event), r"a person answered: retry: ok\u{1b}[2K stage done passed\u{202e}");
}
