//! Timelines, from made-up events.

use domain::{
    decision::{Choice, DecisionKind},
    id::{DecisionId, PipelineId, RunId},
    name::{GateName, RoleName, StageName},
    pipeline::{Actor, AttemptState, Event, EventKind},
    revision::CommitSha,
    usage::Usage,
    verdict::{Finding, VerdictOutcome},
};
use jiff::Timestamp;

use super::{sent_back, timeline};

fn stage(name: &str) -> StageName {
    StageName::new(name).unwrap()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

fn sha(n: u32) -> CommitSha {
    CommitSha::new(format!("{n:040x}")).unwrap()
}

/// A second passes between one event and the next.
fn log(kinds: Vec<EventKind>) -> Vec<Event> {
    let event = |(place, kind): (usize, EventKind)| {
        let number = place as u64 + 1;
        Event {
            seq: number,
            pipeline: PipelineId::from_u128(1),
            number,
            version: number,
            at: Timestamp::from_second(i64::try_from(place).unwrap()).unwrap(),
            actor: Actor::Person { name: "maria".to_owned() },
            kind,
        }
    };
    kinds.into_iter().enumerate().map(event).collect()
}

fn entered(name: &str, attempt: u32) -> EventKind {
    EventKind::StageEntered { stage: stage(name), attempt }
}

fn requested(name: &str, roles: &[&str]) -> EventKind {
    let roles = roles.iter().map(|it| role(it)).collect();
    EventKind::AgentsRequested { stage: stage(name), attempt: 1, roles }
}

fn finished(name: &str, who: &str, head: Option<u32>) -> EventKind {
    EventKind::AgentFinished {
        stage: stage(name),
        role: role(who),
        run: RunId::from_u128(1),
        head: head.map(sha),
        changed_paths: 1,
        usage: Usage::default(),
    }
}

fn judged(name: &str, gate: &str, outcome: VerdictOutcome) -> EventKind {
    let gate = GateName::new(gate).unwrap();
    EventKind::GateJudged {
        stage: stage(name),
        gate,
        commit: sha(1),
        outcome,
        summary: "so".to_owned(),
    }
}

fn sent(from: &str, to: &str) -> EventKind {
    EventKind::SentBack {
        from: stage(from),
        to: stage(to),
        by: "verdict".to_owned(),
        count: 1,
        max: Some(3),
        findings: vec![Finding::blocking("prints to standard error")],
    }
}

fn passed(name: &str) -> EventKind {
    EventKind::StagePassed { stage: stage(name), attempt: 1, commit: sha(1) }
}

fn asked() -> EventKind {
    let (decision, kind) = (DecisionId::from_u128(1), DecisionKind::Escalation);
    EventKind::DecisionOpened { decision, kind, question: "what now?".to_owned() }
}

fn answered(choice: Choice) -> EventKind {
    let decision = DecisionId::from_u128(1);
    EventKind::DecisionResolved { decision, choice, comment: String::new() }
}

fn states_after(kinds: Vec<EventKind>) -> Vec<(String, AttemptState)> {
    let label = |it: &super::StageView| (format!("{}#{}", it.stage, it.attempt), it.state);
    timeline(&log(kinds)).iter().map(label).collect()
}

#[test]
fn a_bounce_shows_who_sent_what_where_and_how_long_each_attempt_took() {
    let events = log(vec![
        EventKind::Started,
        EventKind::Opened { base: sha(1) },
        entered("development", 1),
        requested("development", &["developer"]),
        finished("development", "developer", Some(2)),
        judged("development", "tests", VerdictOutcome::Pass),
        passed("development"),
        entered("review", 1),
        judged("review", "verdict", VerdictOutcome::Fail),
        sent("review", "development"),
        entered("development", 2),
    ]);
    let stages = timeline(&events);
    let course: Vec<_> =
        stages.iter().map(|it| (it.stage.as_str(), it.attempt, it.state)).collect();
    assert_eq!(
        course,
        [
            ("development", 1, AttemptState::Passed),
            ("review", 1, AttemptState::SentBack),
            ("development", 2, AttemptState::Running),
        ]
    );
    let (first, review, last) = (&stages[0], &stages[1], &stages[2]);
    assert_eq!((first.duration_ms, &first.roles), (Some(4000), &vec![role("developer")]));
    assert_eq!(first.gates.len(), 1);
    assert_eq!(
        (review.sent_back_to.clone(), review.sent_back_by.as_deref()),
        (Some(stage("development")), Some("verdict"))
    );
    assert_eq!(review.findings[0].message, "prints to standard error");
    assert_eq!((last.ended_at, last.duration_ms), (None, None));
    assert_eq!(sent_back(&events), 1);
}

#[test]
fn an_attempt_is_gating_once_its_agents_have_ended_and_their_work_is_one() {
    let mut kinds = vec![
        entered("plan", 1),
        requested("plan", &["planner", "risks"]),
        finished("plan", "planner", Some(2)),
    ];
    assert_eq!(states_after(kinds.clone())[0].1, AttemptState::Running);
    kinds.push(finished("plan", "risks", Some(3)));
    assert_eq!(states_after(kinds.clone())[0].1, AttemptState::Running);
    kinds.push(EventKind::Joined { stage: stage("plan"), head: sha(4) });
    assert_eq!(states_after(kinds.clone())[0].1, AttemptState::Gating);
    kinds.push(asked());
    assert_eq!(states_after(kinds)[0].1, AttemptState::AwaitingHuman);
}

#[test]
fn an_attempt_that_a_person_settled_was_sent_back_by_that_person() {
    let blocked = EventKind::Blocked { stage: stage("review"), reason: "again".to_owned() };
    let events = log(vec![
        entered("review", 1),
        judged("review", "verdict", VerdictOutcome::Fail),
        blocked,
        asked(),
        answered(Choice::Retry),
        entered("development", 2),
    ]);
    let stages = timeline(&events);
    assert_eq!(
        (stages[0].state, stages[0].sent_back_by.as_deref()),
        (AttemptState::SentBack, Some("maria"))
    );
}

#[test]
fn a_waived_gate_lets_its_attempt_pass() {
    let kinds = vec![
        entered("review", 1),
        judged("review", "verdict", VerdictOutcome::Fail),
        asked(),
        answered(Choice::Waive),
        judged("review", "verdict", VerdictOutcome::Waived),
        passed("review"),
        entered("testing", 1),
    ];
    assert_eq!(
        states_after(kinds),
        [
            ("review#1".to_owned(), AttemptState::Passed),
            ("testing#1".to_owned(), AttemptState::Running)
        ]
    );
}

#[test]
fn what_a_person_leaves_behind_is_skipped_and_what_gives_up_has_failed() {
    let restarted = EventKind::Restarted { stage: stage("plan") };
    let failed = EventKind::Failed { stage: stage("plan"), reason: "spent".to_owned() };
    let cancelled = EventKind::Cancelled { reason: String::new() };
    assert_eq!(
        states_after(vec![entered("build", 1), restarted, entered("plan", 2), failed]),
        [
            ("build#1".to_owned(), AttemptState::Skipped),
            ("plan#2".to_owned(), AttemptState::Failed)
        ]
    );
    assert_eq!(states_after(vec![entered("build", 1), cancelled])[0].1, AttemptState::Skipped);
}
