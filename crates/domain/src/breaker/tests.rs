//! The breaker's transition table, and what always holds of it.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;
use strum::VariantArray as _;

use super::{
    Breaker, BreakerInput, BreakerKey, BreakerNext, BreakerState, BreakerStateTag, Hold,
    HoldReason, Probe, Turn, decide::BreakerInputTag,
};
use crate::{
    failure::{Failure, FailureClass},
    id::JobId,
    limits::{BREAKER_FAILURES_MAX, BREAKER_OPEN, QUOTA_WAIT_MAX},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

const NOW: i64 = 1_000;

fn breaker(state: BreakerState) -> Breaker {
    Breaker { key: BreakerKey::new("claude@host").expect("a key"), version: 7, state }
}

fn probe(token: u64) -> Probe {
    Probe { job: JobId::from_u128(1), token }
}

fn hold(reason: HoldReason, until: Option<i64>) -> Hold {
    Hold { since: at(0), until: until.map(at), reason, message: "it broke".to_owned() }
}

fn states() -> Vec<(&'static str, BreakerState)> {
    let open = |reason, until| BreakerState::Open { hold: hold(reason, until) };
    vec![
        ("closed", BreakerState::Closed { failures: 0 }),
        ("closed, 2 failures", BreakerState::Closed { failures: 2 }),
        ("open for failures", open(HoldReason::Failures, Some(NOW + 1))),
        ("open for failures, due", open(HoldReason::Failures, Some(NOW))),
        ("open for quota", open(HoldReason::Quota, Some(NOW + 9_000))),
        ("open for credentials", open(HoldReason::Credentials, None)),
        (
            "half open",
            BreakerState::HalfOpen { hold: hold(HoldReason::Failures, Some(NOW)), probe: probe(3) },
        ),
    ]
}

fn fail(token: u64, class: FailureClass) -> BreakerInput {
    BreakerInput::Failed { by: probe(token), failure: Failure::new(class, "it broke") }
}

fn inputs() -> Vec<(String, BreakerInput)> {
    let mut inputs = vec![("succeeded".to_owned(), BreakerInput::Succeeded { by: probe(3) })];
    inputs.extend(FailureClass::VARIANTS.iter().map(|class| (class.to_string(), fail(3, *class))));
    inputs.push(("succeeded, another".to_owned(), BreakerInput::Succeeded { by: probe(2) }));
    inputs.push(("transient, another".to_owned(), fail(2, FailureClass::Transient)));
    inputs.push(("try".to_owned(), BreakerInput::Try { by: probe(4) }));
    inputs.push(("resume".to_owned(), BreakerInput::Resume));
    inputs
}

fn in_words(state: &BreakerState) -> String {
    let hold_in_words = |hold: &Hold| {
        let until = hold
            .until
            .map_or("a person".to_owned(), |until| format!("+{}", until.as_second() - NOW));
        format!("{} until {until}", hold.reason)
    };
    match state {
        BreakerState::Closed { failures } => format!("closed ({failures})"),
        BreakerState::Open { hold } => format!("open ({})", hold_in_words(hold)),
        BreakerState::HalfOpen { hold, probe } => {
            format!("half open ({}, token {})", hold_in_words(hold), probe.token)
        }
    }
}

#[test]
fn transition_table() {
    for tag in BreakerStateTag::VARIANTS {
        assert!(states().iter().any(|(_, state)| BreakerStateTag::from(state) == *tag), "{tag}");
    }
    for tag in BreakerInputTag::VARIANTS {
        assert!(inputs().iter().any(|(_, input)| BreakerInputTag::from(input) == *tag), "{tag}");
    }
    let mut table = String::new();
    for (name, state) in states() {
        for (input_name, input) in inputs() {
            let BreakerNext { state: next, opened } =
                breaker(state.clone()).decide(&input, at(NOW));
            let next = if next == state { "-".to_owned() } else { in_words(&next) };
            let told = if opened { ", told" } else { "" };
            writeln!(table, "{name:<22} + {input_name:<18} -> {next}{told}")
                .expect("a string takes everything");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_window_is_waited_for_beyond_the_longest_backoff_but_not_for_ever() {
    let opens = |until: Option<i64>, retry_after: Option<u64>| {
        let failure = Failure {
            until: until.map(at),
            retry_after: retry_after.map(Duration::from_secs),
            ..Failure::new(FailureClass::Quota, "spent")
        };
        let input = BreakerInput::Failed { by: probe(1), failure };
        let next = breaker(BreakerState::Closed { failures: 0 }).decide(&input, at(NOW));
        next.state.hold().and_then(|hold| hold.until).expect("an end").as_second() - NOW
    };
    assert_eq!(opens(Some(NOW + 18_000), None), 18_000);
    assert_eq!(opens(None, Some(7_200)), 7_200);
    assert_eq!(
        opens(Some(i64::from(i32::MAX)), None),
        i64::try_from(QUOTA_WAIT_MAX.as_secs()).unwrap()
    );
    assert_eq!(
        opens(Some(NOW - 5), None),
        60,
        "a window that is open and spent is not asked at once"
    );
    assert_eq!(opens(None, None), 1_800);
}

/// A probe that ended without a word, in whatever way, is replaced by the next job.
#[test]
fn a_probe_that_no_longer_runs_holds_nobody() {
    let half_open = breaker(BreakerState::HalfOpen {
        hold: hold(HoldReason::Failures, Some(NOW)),
        probe: probe(3),
    });
    assert_eq!(half_open.turn(at(NOW), |_| true), Turn::Wait { until: Some(at(NOW)) });
    assert_eq!(half_open.turn(at(NOW), |_| false), Turn::Try);
}

/// Both have to be over: whatever is later moves the job, and what is over keeps nobody.
#[test]
fn of_a_jobs_own_time_and_its_breakers_the_later_one_moves_it() {
    let keeps = |state: BreakerState, due| breaker(state).keeps(at(due), at(NOW)).is_some();
    let open = |until| BreakerState::Open { hold: hold(HoldReason::Quota, until) };
    assert!(keeps(open(Some(NOW + 2)), NOW), "it is due, and its breaker is not");
    assert!(keeps(open(Some(NOW + 2)), NOW + 1), "its breaker comes later");
    assert!(!keeps(open(Some(NOW + 1)), NOW + 2), "its own time comes later");
    assert!(!keeps(open(Some(NOW)), NOW), "it tries");
    assert!(keeps(open(None), NOW + 2), "nobody knows when a person comes");
    let tried =
        BreakerState::HalfOpen { hold: hold(HoldReason::Failures, Some(NOW)), probe: probe(3) };
    assert!(keeps(tried.clone(), NOW));
    assert!(!keeps(tried, NOW + 1), "its own time comes first");
    assert!(!keeps(BreakerState::Closed { failures: 2 }, NOW));
}

fn input() -> impl Strategy<Value = BreakerInput> {
    let class = proptest::sample::select(FailureClass::VARIANTS);
    prop_oneof![
        2 => (0..4u64).prop_map(|token| BreakerInput::Succeeded { by: probe(token) }),
        6 => (0..4u64, class).prop_map(|(token, class)| fail(token, class)),
        2 => (0..4u64).prop_map(|token| BreakerInput::Try { by: probe(token) }),
        1 => Just(BreakerInput::Resume),
    ]
}

proptest! {
    /// It never opens before the third transient failure in a row, never holds without an end but for credentials,
    /// and opens silently for no new reason.
    #[test]
    fn every_history_keeps_to_the_rules(inputs in proptest::collection::vec((input(), 0..400i64), 0..60)) {
        let mut now = NOW;
        let mut breaker = breaker(BreakerState::Closed { failures: 0 });
        let mut streak = 0;
        for (input, wait) in inputs {
            now += wait;
            let was_closed = matches!(breaker.state, BreakerState::Closed { .. });
            let BreakerNext { state, opened } = breaker.decide(&input, at(now));
            let class = match &input {
                BreakerInput::Failed { failure, .. } => Some(failure.class),
                _ => None,
            };
            streak = match (was_closed, class) {
                (true, Some(FailureClass::Transient)) => streak + 1,
                (true, Some(FailureClass::Lost)) => streak,
                _ if matches!(input, BreakerInput::Try { .. }) && was_closed => streak,
                _ => 0,
            };
            if let Some(hold) = state.hold() {
                prop_assert!(!was_closed || opened);
                prop_assert!(hold.until.is_some() || hold.reason == HoldReason::Credentials);
                if was_closed && hold.reason == HoldReason::Failures {
                    prop_assert_eq!(streak, BREAKER_FAILURES_MAX);
                    prop_assert_eq!(hold.until, Some(at(now) + BREAKER_OPEN));
                }
            } else {
                prop_assert!(!opened);
                prop_assert!(streak < BREAKER_FAILURES_MAX);
            }
            breaker.state = state;
        }
    }
}
