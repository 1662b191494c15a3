//! The letter's transition table, its budgets, and who is told what.

use std::fmt::Write as _;

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use strum::VariantArray as _;

use super::{
    Letter, LetterInput, LetterRefusal, LetterState, LetterStateTag, Route, decide::LetterInputTag,
};
use crate::{
    id::{LetterId, PipelineId},
    item::ItemKey,
    limits,
    name::{DestinationName, ProjectKey},
    pipeline::{Actor, Event, EventKind, EventKindTag},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn project() -> ProjectKey {
    ProjectKey::new("ET").expect("a name")
}

fn letter(state: LetterState) -> Letter {
    Letter {
        id: LetterId::from_u128(1),
        destination: DestinationName::new("log").expect("a name"),
        item: ItemKey { project: project(), number: 1 },
        title: "Add a flag".to_owned(),
        event: Event {
            seq: 9,
            pipeline: PipelineId::from_u128(1),
            number: 4,
            version: 3,
            at: NOW,
            actor: Actor::Engine,
            kind: EventKind::Started,
        },
        version: 5,
        failures: 1,
        lost: 1,
        state,
        last_error: None,
    }
}

fn sending() -> LetterState {
    LetterState::Sending { owner: "a".to_owned(), expires_at: NOW + 1.second() }
}

fn states() -> Vec<(&'static str, LetterState)> {
    vec![
        ("queued", LetterState::Queued { available_at: NOW }),
        ("queued: later", LetterState::Queued { available_at: NOW + 1.second() }),
        ("sending", sending()),
        ("sending: expired", LetterState::Sending { owner: "a".to_owned(), expires_at: NOW }),
        ("delivered", LetterState::Delivered { at: NOW, remote: None }),
        ("dead", LetterState::Dead { at: NOW, why: "it broke".to_owned() }),
        (
            "dropped",
            LetterState::Dropped { at: NOW, by: "ann".to_owned(), reason: "old".to_owned() },
        ),
    ]
}

fn failed() -> LetterInput {
    LetterInput::Failed { why: "it is away".to_owned(), retry_after: None, jitter: 0.5 }
}

fn inputs() -> Vec<LetterInput> {
    vec![
        LetterInput::Take { owner: "b".to_owned(), ttl: limits::LETTER_LEASE_TTL },
        LetterInput::Delivered { remote: Some("7".to_owned()) },
        LetterInput::Refused { why: "no".to_owned() },
        LetterInput::GivenUp { why: "lost".to_owned() },
        failed(),
        LetterInput::Released,
        LetterInput::Lost,
        LetterInput::Retry,
        LetterInput::Drop { by: "ann".to_owned(), reason: "old".to_owned() },
    ]
}

#[test]
fn transition_table() {
    for tag in LetterStateTag::VARIANTS {
        assert!(
            states().iter().any(|(_, state)| LetterStateTag::from(state) == *tag),
            "{tag} is missing from the table"
        );
    }
    let tags: Vec<LetterInputTag> = inputs().iter().map(LetterInputTag::from).collect();
    assert_eq!(tags, LetterInputTag::VARIANTS, "an input is missing from the table");
    let mut table = String::new();
    for (name, state) in states() {
        for input in inputs() {
            let letter = letter(state.clone());
            let outcome = match letter.decide(&input, NOW) {
                Ok(next) => {
                    assert_eq!(next.version, letter.version + 1, "{name} + {input:?}");
                    let Letter { failures, lost, state, .. } = next;
                    format!("{} ({failures} failed, {lost} lost)", LetterStateTag::from(&state))
                }
                Err(LetterRefusal::NotDue { .. }) => "(not due)".to_owned(),
                Err(LetterRefusal::NotAllowed { .. }) => continue,
                Err(refusal @ LetterRefusal::LongWords { .. }) => panic!("{refusal}"),
            };
            let input = LetterInputTag::from(&input).to_string();
            writeln!(table, "{name:<16} + {input:<9} -> {outcome}")
                .expect("a string takes everything");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_reason_that_nobody_would_read_drops_nothing() {
    let drop = |length| LetterInput::Drop { by: "ann".to_owned(), reason: "x".repeat(length) };
    let letter = letter(LetterState::Queued { available_at: NOW });
    let refusal = LetterRefusal::LongWords { found: limits::WORDS_BYTES_MAX + 1 };
    assert_eq!(letter.decide(&drop(limits::WORDS_BYTES_MAX + 1), NOW), Err(refusal));
    assert!(letter.decide(&drop(limits::WORDS_BYTES_MAX), NOW).is_ok());
}

#[test]
fn a_key_names_what_is_told_to_whom_and_not_which_try_it_is() {
    let first = letter(sending());
    let again = first.decide(&LetterInput::Lost, NOW).expect("it was being sent");
    let at = first.event.at.as_millisecond();
    assert_eq!(first.key(), format!("{}/4/log/{at}", PipelineId::from_u128(1)));
    assert_eq!(again.key(), first.key());
}

/// After a restore other things happen under the numbers of those that were told before.
#[test]
fn another_event_of_the_same_number_has_another_key() {
    let first = letter(sending());
    let at = first.event.at + 1.second();
    let other = Letter { event: Event { at, ..first.event.clone() }, ..first.clone() };
    assert_ne!(other.key(), first.key());
}

#[test]
fn a_letter_that_fails_too_often_is_dead_and_says_why() {
    let last = Letter { failures: limits::LETTER_FAILURES_MAX - 1, ..letter(sending()) };
    let dead = last.decide(&failed(), NOW).expect("it was being sent");
    assert_eq!(dead.state, LetterState::Dead { at: NOW, why: "it is away".to_owned() });
    assert_eq!(dead.last_error.as_deref(), Some("it is away"));
}

#[test]
fn a_try_that_was_refused_has_failed_whatever_becomes_of_the_letter() {
    let refused = LetterInput::Refused { why: "no such room".to_owned() };
    let given_up = LetterInput::GivenUp { why: "it was lost too often".to_owned() };
    let dropped = LetterInput::Drop { by: "me".to_owned(), reason: "nobody reads it".to_owned() };
    let dropped_after = |end: &LetterInput| {
        let dead = letter(sending()).decide(end, NOW).expect("it was being sent");
        dead.decide(&dropped, NOW).expect("it is dead")
    };
    let before = letter(sending()).failures;
    assert_eq!(dropped_after(&refused).failures, before + 1);
    assert_eq!(dropped_after(&given_up).failures, before, "nobody has tried");
}

#[test]
fn nobody_is_told_about_letters_by_letter() {
    let died = EventKind::LetterDied {
        letter: LetterId::from_u128(1),
        destination: DestinationName::new("log").expect("a name"),
        about: 4,
        why: "no".to_owned(),
    };
    let everything = Route {
        destination: DestinationName::new("chat").expect("a name"),
        events: EventKindTag::VARIANTS.to_vec(),
        projects: Vec::new(),
    };
    assert!(!everything.wants(&project(), &died), "a destination that is away would never rest");
    assert!(everything.wants(&project(), &EventKind::Started));
}

#[test]
fn a_destination_hears_what_it_asked_for_of_the_projects_that_it_named() {
    let route = Route {
        destination: DestinationName::new("log").expect("a name"),
        events: vec![EventKindTag::Started],
        projects: vec![project()],
    };
    assert!(route.wants(&project(), &EventKind::Started));
    assert!(!route.wants(&project(), &EventKind::Paused));
    assert!(!route.wants(&ProjectKey::new("AB").expect("a name"), &EventKind::Started));
}

fn input() -> impl Strategy<Value = LetterInput> {
    proptest::sample::select(inputs())
}

proptest! {
    /// Whatever happens, a letter is tried at most so often before somebody is told, and is never between two states.
    #[test]
    fn tries_never_pass_their_limit(inputs in proptest::collection::vec((input(), 0i64..2_000), 0..60)) {
        let mut letter = letter(LetterState::Queued { available_at: NOW });
        let mut now = NOW;
        for (input, seconds) in inputs {
            now += seconds.seconds();
            let Ok(next) = letter.decide(&input, now) else { continue };
            prop_assert_eq!(next.version, letter.version + 1);
            prop_assert!(next.failures <= limits::LETTER_FAILURES_MAX);
            if next.failures == limits::LETTER_FAILURES_MAX {
                let is_over = matches!(next.state, LetterState::Dead { .. } | LetterState::Dropped { .. });
                prop_assert!(is_over, "{:?}", next.state);
            }
            if let LetterState::Queued { available_at } = next.state {
                prop_assert!(available_at.duration_since(now) <= limits::BACKOFF_MAX.try_into().expect("it is short"));
            }
            letter = next;
        }
    }
}
