//! Reasons, from made-up events.

use std::collections::BTreeMap;

use domain::{
    brief::Feedback,
    decision::DecisionKind,
    definition::DefinitionHash,
    failure::{Failure, FailureClass},
    id::{DecisionId, PipelineId},
    item::{Item, ItemKey},
    job::Work,
    name::{DefinitionName, GateName, ProjectKey, RoleName, StageName},
    pipeline::{
        Actor, Block, Delivery, Event, EventKind, Pipeline, PipelineFailure, PipelineOptions,
        PipelineState, StageAttempt, Step,
    },
    revision::BranchName,
    usage::Usage,
    verdict::Finding,
};
use jiff::Timestamp;

use super::reason;

fn pipeline(state: PipelineState) -> Pipeline {
    let project = ProjectKey::new("ET").unwrap();
    let key = ItemKey { project: project.clone(), number: 1 };
    Pipeline {
        id: PipelineId::from_u128(1),
        project,
        item: Item::new(key, "Add a flag", "").unwrap(),
        definition_name: DefinitionName::new("solo").unwrap(),
        definition: DefinitionHash("00".to_owned()),
        options: PipelineOptions { delivery: Delivery::Branch, human_gates: true, agent: None },
        branch: BranchName::new("feature/ET-001-x").unwrap(),
        target: BranchName::new("main").unwrap(),
        created_at: Timestamp::UNIX_EPOCH,
        version: 3,
        epoch: 0,
        base: None,
        head: None,
        attempts: BTreeMap::new(),
        seen: BTreeMap::new(),
        routes: BTreeMap::new(),
        limit_grants: 0,
        usage: Usage::default(),
        state,
    }
}

fn attempt() -> StageAttempt {
    StageAttempt {
        stage: StageName::new("review").unwrap(),
        number: 1,
        started_at: Timestamp::UNIX_EPOCH,
        feedback: Feedback::default(),
        step: Step::Acting,
        candidate: None,
    }
}

fn awaiting() -> PipelineState {
    PipelineState::AwaitingHuman { attempt: attempt(), decision: DecisionId::from_u128(7) }
}

fn event(kind: EventKind) -> Event {
    Event {
        seq: 1,
        pipeline: PipelineId::from_u128(1),
        number: 1,
        version: 1,
        at: Timestamp::UNIX_EPOCH,
        actor: Actor::Person { name: "maria".to_owned() },
        kind,
    }
}

fn asked(id: u128, question: &str) -> Event {
    let (decision, kind) = (DecisionId::from_u128(id), DecisionKind::Approval);
    event(EventKind::DecisionOpened { decision, kind, question: question.to_owned() })
}

fn why(state: PipelineState, events: &[Event]) -> Option<String> {
    reason(&pipeline(state), events)
}

#[test]
fn a_waiting_pipeline_names_its_own_question_and_not_an_older_one() {
    let events = [asked(6, "Old?"), asked(7, "Build it?\nReally?"), asked(8, "Other?")];
    assert_eq!(why(awaiting(), &events).unwrap(), "stage `review` waits for a person: Build it?");
    let id = DecisionId::from_u128(7);
    assert_eq!(
        why(awaiting(), &[]).unwrap(),
        format!("stage `review` waits for a person to answer {id}")
    );
}

#[test]
fn a_paused_pipeline_says_who_paused_it_and_what_it_waits_for() {
    let state = PipelineState::Paused { inner: Box::new(awaiting()) };
    let events = [asked(7, "Build it?"), event(EventKind::Paused)];
    assert_eq!(
        why(state, &events).unwrap(),
        "paused by maria in stage `review`; stage `review` waits for a person: Build it?"
    );
    let state = PipelineState::Paused { inner: Box::new(PipelineState::Queued) };
    assert_eq!(why(state, &[]).unwrap(), "paused");
}

#[test]
fn every_block_says_what_stands_in_the_way() {
    let feedback = Feedback {
        from: None,
        findings: vec![Finding::blocking("\nprints to standard error\nmore")],
        answers: Vec::new(),
    };
    let gate = GateName::new("verdict").unwrap();
    let to = StageName::new("development").unwrap();
    let role = RoleName::new("developer").unwrap();
    let failure = Failure::new(FailureClass::Credentials, "the key was refused");
    let blocks = [
        (
            Block::GateFailed { gate: gate.clone(), to, feedback: feedback.clone() },
            "gate `verdict` failed as often as it may: prints to standard error more",
        ),
        (
            Block::GateError { gate, message: "no git".to_owned() },
            "gate `verdict` could not answer: no git",
        ),
        (
            Block::HandIn { role, feedback },
            "role `developer` handed in too often what cannot be taken: prints to standard error more",
        ),
        (Block::JobFailed { failure }, "the key was refused"),
        (
            Block::Questions { questions: "Which?".to_owned() },
            "its agent asks more often than people are asked: Which?",
        ),
        (Block::Limit { message: "too dear".to_owned() }, "too dear"),
        (Block::Stranded, "nothing was left that would have moved it on"),
    ];
    for (block, expected) in blocks {
        let state = PipelineState::Blocked {
            attempt: attempt(),
            decision: DecisionId::from_u128(7),
            block,
        };
        assert_eq!(why(state, &[]).unwrap(), format!("stage `review`: {expected}"));
    }
}

#[test]
fn a_running_pipeline_has_a_reason_only_while_something_is_tried_again() {
    let tried_again = event(EventKind::JobRetried {
        stage: StageName::new("review").unwrap(),
        work: Work::Agent { role: RoleName::new("reviewer").unwrap() },
        failure: Failure::new(FailureClass::Transient, "overloaded"),
    });
    let running = || PipelineState::Running { attempt: attempt() };
    assert_eq!(
        why(running(), std::slice::from_ref(&tried_again)).unwrap(),
        "stage `review`: agent:reviewer is tried again: overloaded"
    );
    assert_eq!(why(running(), &[tried_again, event(EventKind::Resumed)]), None);
    assert_eq!(why(PipelineState::Queued, &[]), None);
}

#[test]
fn an_end_that_nobody_wanted_says_why() {
    let failure = PipelineFailure::RouteSpent {
        gate: GateName::new("tests").unwrap(),
        message: "exit 1".to_owned(),
    };
    let failed = PipelineState::Failed { stage: StageName::new("build").unwrap(), failure };
    assert!(
        why(failed, &[])
            .unwrap()
            .ends_with("gate `tests` failed more often than its route allows: exit 1")
    );
    let cancelled = |reason: &str| PipelineState::Cancelled {
        by: "maria".to_owned(),
        reason: reason.to_owned(),
    };
    assert_eq!(why(cancelled(" "), &[]).unwrap(), "cancelled by maria");
    assert_eq!(why(cancelled("not now"), &[]).unwrap(), "cancelled by maria: not now");
}
