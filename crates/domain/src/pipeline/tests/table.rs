//! The transition table: every sample state meets every sample input.

use std::fmt::Write as _;

use strum::VariantArray as _;

use super::fixtures::{Driver, stage_name};
use crate::{
    decision::Choice,
    failure::{Failure, FailureClass},
    id::{DecisionId, LetterId},
    name::DestinationName,
    outbox::LetterNews,
    pipeline::{
        Decided, Effect, Input, InputTag, PipelineState, PipelineStateTag, Refusal, TimerKey,
    },
    usage::Usage,
};

fn drivers() -> Vec<(&'static str, Driver)> {
    let build = || {
        let mut driver = Driver::started();
        driver.succeed_until(|it| it.open.is_some());
        driver.resolve(Choice::Approve, "").expect("an approval is offered");
        driver
    };
    let approval = || {
        let mut driver = Driver::started();
        driver.succeed_until(|it| it.open.is_some());
        driver
    };
    let mut blocked = build();
    for _ in 0..3 {
        blocked.refuse_hand_in("agent:developer");
    }
    let mut paused = build();
    paused.give(&Input::Pause).expect("a running pipeline can pause");
    let mut succeeded = build();
    succeeded.succeed_until(|it| it.pipeline.state.is_terminal());
    let mut failed = build();
    for _ in 0..3 {
        failed.succeed_one();
        failed.fail_gate("gate:tests");
    }
    let mut cancelled = build();
    cancelled
        .give(&Input::Cancel { reason: "unwanted".to_owned() })
        .expect("a running pipeline can be cancelled");
    let mut gating = build();
    gating.succeed_one();
    let mut merging = build();
    merging
        .succeed_until(|it| it.live.iter().any(|(slot, _)| slot.work.to_string() == "integrate"));
    let mut landing = merging.fork();
    landing.succeed_until(|it| it.live.iter().any(|(slot, _)| slot.work.to_string() == "land"));
    let mut in_doubt = landing.fork();
    in_doubt.give_up("land");
    vec![
        ("queued", Driver::new()),
        ("running: opening", Driver::started()),
        ("running: working", build()),
        ("running: gating", gating),
        ("running: integrating", merging),
        ("running: landing", landing),
        ("awaiting_human", approval()),
        ("blocked", blocked),
        ("blocked: landing", in_doubt),
        ("paused", paused),
        ("succeeded", succeeded),
        ("failed", failed),
        ("cancelled", cancelled),
    ]
}

fn inputs(driver: &Driver) -> Vec<(&'static str, Input)> {
    let live = driver.live.first().cloned();
    let old = Driver::started().live[0].0.clone();
    let (slot, commit) = live.unwrap_or((old.clone(), None));
    let failure = Failure::new(FailureClass::Permanent, "it broke");
    let open = driver.open.unwrap_or(DecisionId::from_u128(999));
    let resolve = |choice, comment: &str| Input::Resolve {
        decision: open,
        choice,
        comment: comment.to_owned(),
    };
    vec![
        ("start", Input::Start),
        (
            "job_done",
            Input::JobDone { report: driver.success(&slot, commit.as_ref()), slot: slot.clone() },
        ),
        (
            "job_retried",
            Input::JobRetried {
                slot: slot.clone(),
                failure: failure.clone(),
                usage: Usage::default(),
            },
        ),
        ("job_failed", Input::JobFailed { slot, failure, usage: Usage::default() }),
        ("resolve approve", resolve(Choice::Approve, "")),
        ("resolve reject", resolve(Choice::Reject, "no")),
        ("resolve retry", resolve(Choice::Retry, "")),
        ("resolve cancel", resolve(Choice::Cancel, "")),
        (
            "resolve another",
            Input::Resolve {
                decision: DecisionId::from_u128(998),
                choice: Choice::Approve,
                comment: String::new(),
            },
        ),
        ("timer_fired", Input::TimerFired { timer: TimerKey::WallTime }),
        ("stranded", Input::Stranded { version: driver.pipeline.version }),
        ("stranded before", Input::Stranded { version: driver.pipeline.version.wrapping_sub(1) }),
        ("pause", Input::Pause),
        ("resume", Input::Resume),
        ("cancel", Input::Cancel { reason: "unwanted".to_owned() }),
        ("retry", Input::Retry { comment: String::new() }),
        ("restart_stage", Input::RestartStage { stage: stage_name("build") }),
        ("letter", letter(LetterNews::Died { why: "it is away".to_owned() })),
    ]
}

fn letter(news: LetterNews) -> Input {
    let destination = DestinationName::new("log").expect("a name");
    Input::Letter { letter: LetterId::from_u128(1), destination, about: 1, news }
}

/// Letters are delivered long after their pipeline has moved on, and change nothing about it but its log.
#[test]
fn news_of_a_letter_are_told_in_every_state_and_move_nothing() {
    for news in [
        LetterNews::Died { why: "it is away".to_owned() },
        LetterNews::Retried,
        LetterNews::Dropped { reason: "old".to_owned() },
    ] {
        for (name, driver) in drivers() {
            let decided = driver.fork().give(&letter(news.clone())).expect(name);
            assert_eq!(decided.pipeline.state, driver.pipeline.state, "{name}");
            assert_eq!((decided.events.len(), decided.effects.len()), (1, 0), "{name}");
        }
    }
}

fn describe(decided: &Decided) -> String {
    let effects: Vec<String> = decided.effects.iter().map(effect).collect();
    let state = &decided.pipeline.state;
    let place = state.attempt().map(|it| {
        format!(" {}#{} {}", it.stage, it.number, super::super::state::StepTag::from(&it.step))
    });
    format!(
        "{}{} [{}]",
        PipelineStateTag::from(state),
        place.unwrap_or_default(),
        effects.join(", ")
    )
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Enqueue(job) => job.slot.work.to_string(),
        Effect::CancelJobs => "cancel jobs".to_owned(),
        Effect::OpenDecision(decision) => format!("ask {}", decision.kind),
        Effect::ResolveDecision { choice, .. } => format!("answered {choice}"),
        Effect::WithdrawDecision { .. } => "withdraw question".to_owned(),
        Effect::ArmTimer { timer, .. } => format!("arm {timer}"),
        Effect::DisarmTimers => "disarm timers".to_owned(),
        Effect::ReleaseMergeLease => "release lease".to_owned(),
        Effect::StoreVerdict(verdict) => format!("keep verdict {}", verdict.outcome),
    }
}

#[test]
fn transition_table() {
    let drivers = drivers();
    for tag in PipelineStateTag::VARIANTS {
        assert!(
            drivers.iter().any(|(_, it)| PipelineStateTag::from(&it.pipeline.state) == *tag),
            "no sample is {tag}"
        );
    }
    for tag in InputTag::VARIANTS {
        assert!(
            inputs(&drivers[0].1).iter().any(|(_, it)| InputTag::from(it) == *tag),
            "no sample input is {tag}"
        );
    }
    let mut table = String::new();
    for (state, driver) in &drivers {
        assert!(
            state.starts_with(&PipelineStateTag::from(&driver.pipeline.state).to_string()),
            "{state} is mislabelled"
        );
        for (name, input) in inputs(driver) {
            let mut fork = driver.fork();
            let outcome = match fork.give(&input) {
                Ok(decided) => describe(&decided),
                Err(Refusal::Stale { .. }) => "(stale)".to_owned(),
                Err(Refusal::NotAllowed { .. }) => continue,
                Err(other) => format!("({other})"),
            };
            writeln!(table, "{state:<20} + {name:<15} -> {outcome}")
                .expect("a string takes everything");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_terminal_state_says_so() {
    for (name, driver) in drivers() {
        let terminal = matches!(
            driver.pipeline.state,
            PipelineState::Succeeded { .. }
                | PipelineState::Failed { .. }
                | PipelineState::Cancelled { .. }
        );
        assert_eq!(driver.pipeline.state.is_terminal(), terminal, "{name}");
    }
}
