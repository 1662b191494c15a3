//! What holds for every order of inputs.

use proptest::prelude::*;

use super::fixtures::{Driver, sha, stage_name, verdict};
use crate::{
    decision::Choice,
    failure::{Failure, FailureClass},
    id::{DecisionId, RunId},
    job::Work,
    limits,
    pipeline::{AgentReport, Input, MergeReport, PipelineState, Refusal, Report, TimerKey},
    usage::Usage,
    verdict::{Finding, VerdictOutcome},
};

/// What the world does next, as numbers, so that a failing history shrinks.
#[derive(Clone, Debug)]
enum Move {
    Succeed(usize),
    Fail(usize),
    Lose(usize),
    Refuse(usize),
    ReportAgain(usize),
    Answer(usize),
    Timer,
    Pause,
    Resume,
    Retry,
    Restart(usize),
    Cancel,
    Strand,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        12 => (0usize..4).prop_map(Move::Succeed),
        3 => (0usize..4).prop_map(Move::Fail),
        2 => (0usize..4).prop_map(Move::Lose),
        4 => (0usize..4).prop_map(Move::Refuse),
        2 => (0usize..50).prop_map(Move::ReportAgain),
        5 => (0usize..8).prop_map(Move::Answer),
        1 => Just(Move::Timer),
        1 => Just(Move::Pause),
        2 => Just(Move::Resume),
        1 => Just(Move::Retry),
        1 => (0usize..4).prop_map(Move::Restart),
        1 => Just(Move::Cancel),
        1 => Just(Move::Strand),
    ];
    proptest::collection::vec(one, 0..120)
}

/// The least welcome report that the job's work allows.
fn unwelcome(driver: &Driver, index: usize) -> Option<(crate::job::Slot, Report)> {
    let (slot, commit) = driver.live.get(index % driver.live.len().max(1)).cloned()?;
    let findings = vec![Finding::blocking("no")];
    let report = match &slot.work {
        Work::Agent { .. } => Report::Agent {
            run: RunId::from_u128(1),
            usage: Usage::default(),
            report: AgentReport::Refused { findings },
        },
        Work::Gate { gate } if gate.as_str() == "questions" => {
            Report::GateAsks { questions: "Which?".to_owned() }
        }
        Work::Gate { .. } => Report::Gate {
            verdict: verdict(&driver.pipeline, &slot, &commit?, VerdictOutcome::Fail),
        },
        Work::Join => Report::JoinConflict { findings },
        Work::Integrate => Report::Merge(MergeReport::Conflict { head: sha(500), findings }),
        Work::Land => Report::Merge(MergeReport::TargetMoved),
        Work::Intake => Report::IntakeRefused { findings },
        Work::Publish => Report::PublishRefused { reason: "it is taken".to_owned() },
        Work::Open | Work::Cleanup => return None,
    };
    Some((slot, report))
}

/// Invariants 4 and 5 of a pipeline at rest, as far as the core alone can hold them.
fn check(driver: &Driver) -> Result<(), TestCaseError> {
    let cleaning =
        |driver: &Driver| driver.live.iter().filter(|(slot, _)| slot.work == Work::Cleanup).count();
    match &driver.pipeline.state {
        PipelineState::Queued => prop_assert!(driver.live.is_empty()),
        state if state.is_terminal() => {
            prop_assert_eq!(
                driver.live.len(),
                cleaning(driver),
                "a terminal pipeline has work: {:?}",
                driver.live
            );
            prop_assert!(driver.open.is_none() && !driver.armed && !driver.holds_lease);
        }
        PipelineState::AwaitingHuman { decision, .. } | PipelineState::Blocked { decision, .. } => {
            prop_assert_eq!(driver.open, Some(*decision));
        }
        state => {
            let paused_twice = matches!(state, PipelineState::Paused { inner } if matches!(**inner, PipelineState::Paused { .. }));
            prop_assert!(!paused_twice, "one resume would not resume {:?}", state);
            let waits_for_somebody = state.decision().is_some() && driver.open == state.decision();
            let moves = driver.live.len() > cleaning(driver) || waits_for_somebody;
            let not_begun = matches!(state, PipelineState::Paused { inner } if **inner == PipelineState::Queued);
            prop_assert!(moves || not_begun, "nothing will move {:?}", state);
        }
    }
    for (route, count) in &driver.pipeline.routes {
        let max = if route.ends_with("?hand-in") {
            limits::HAND_IN_RETRIES_MAX
        } else if route.ends_with("?questions") {
            limits::QUESTION_ROUNDS_MAX
        } else {
            2
        };
        prop_assert!(*count <= max, "{} was taken {} times", route, count);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(moves in moves()) {
        let mut driver = Driver::started();
        let mut reported = Vec::new();
        for it in moves {
            let before = driver.pipeline.clone();
            let result = match it {
                Move::Succeed(index) => {
                    let Some((slot, commit)) = driver.live.get(index % driver.live.len().max(1)).cloned() else { continue };
                    let report = driver.success(&slot, commit.as_ref());
                    // A clean-up that reports twice is told twice, and changes nothing.
                    if slot.work != Work::Cleanup {
                        reported.push((slot.clone(), report.clone()));
                    }
                    driver.give(&Input::JobDone { slot, report })
                }
                Move::Refuse(index) => {
                    let Some((slot, report)) = unwelcome(&driver, index) else { continue };
                    driver.give(&Input::JobDone { slot, report })
                }
                Move::Fail(index) => {
                    let Some((slot, _)) = driver.live.get(index % driver.live.len().max(1)).cloned() else { continue };
                    let failure = Failure::new(FailureClass::Permanent, "exited with code 1");
                    driver.give(&Input::JobFailed { slot, failure, usage: Usage::default() })
                }
                Move::Lose(index) => {
                    let Some((slot, _)) = driver.live.get(index % driver.live.len().max(1)).cloned() else { continue };
                    let failure = Failure::new(FailureClass::Lost, "its worker is gone");
                    driver.give(&Input::JobRetried { slot, failure, usage: Usage::default() })
                }
                Move::ReportAgain(index) => {
                    let Some((slot, report)) = reported.get(index % reported.len().max(1)).cloned() else { continue };
                    let result = driver.give(&Input::JobDone { slot, report });
                    prop_assert!(matches!(result, Err(Refusal::Stale { .. })), "a report counted twice: {result:?}");
                    result
                }
                Move::Answer(index) => {
                    let choices = [Choice::Approve, Choice::Reject, Choice::Answer, Choice::Retry, Choice::Waive, Choice::Continue, Choice::Approve];
                    let choice = choices[index % choices.len()];
                    let decision = driver.open.unwrap_or(DecisionId::from_u128(0));
                    driver.give(&Input::Resolve { decision, choice, comment: "because".to_owned() })
                }
                Move::Timer => driver.give(&Input::TimerFired { timer: TimerKey::WallTime }),
                Move::Pause => driver.give(&Input::Pause),
                Move::Resume => driver.give(&Input::Resume),
                Move::Retry => driver.give(&Input::Retry { comment: "again".to_owned() }),
                Move::Restart(index) => driver.give(&Input::RestartStage { stage: stage_name(["plan", "build", "ship", "nowhere"][index % 4]) }),
                Move::Cancel => driver.give(&Input::Cancel { reason: "unwanted".to_owned() }),
                Move::Strand => driver.give(&Input::Stranded { version: before.version }),
            };
            match result {
                Ok(decided) => prop_assert_eq!(decided.pipeline.version, before.version + 1),
                Err(Refusal::Inconsistent { what }) => prop_assert!(false, "inconsistent: {}", what),
                Err(_) => prop_assert_eq!(&driver.pipeline, &before),
            }
            check(&driver)?;
        }
    }

    /// Liveness: whatever happened, with a world that works and people who answer, every pipeline ends.
    #[test]
    fn every_history_can_be_brought_to_an_end(moves in moves()) {
        let mut driver = Driver::started();
        for it in moves {
            // Whether it is refused does not matter here.
            let _refused = match it {
                Move::Refuse(index) => unwelcome(&driver, index).map(|(slot, report)| driver.give(&Input::JobDone { slot, report }).is_err()),
                Move::Restart(_) => Some(driver.give(&Input::RestartStage { stage: stage_name("build") }).is_err()),
                Move::Pause => Some(driver.give(&Input::Pause).is_err()),
                Move::Timer => Some(driver.give(&Input::TimerFired { timer: TimerKey::WallTime }).is_err()),
                _ if !driver.live.is_empty() => { driver.succeed_one(); None }
                _ => None,
            };
        }
        for _ in 0..200 {
            if driver.pipeline.state.is_terminal() {
                return Ok(());
            }
            if matches!(driver.pipeline.state, PipelineState::Paused { .. }) {
                driver.give(&Input::Resume).expect("a paused pipeline can resume");
            } else if let Some(decision) = driver.open {
                let answers = [Choice::Approve, Choice::Answer, Choice::Retry, Choice::Continue];
                let taken = answers.iter().any(|&choice| driver.give(&Input::Resolve { decision, choice, comment: "go".to_owned() }).is_ok());
                prop_assert!(taken, "no answer moves {:?}", driver.pipeline.state);
            } else {
                prop_assert!(!driver.live.is_empty(), "nothing moves {:?}", driver.pipeline.state);
                driver.succeed_one();
            }
        }
        prop_assert!(false, "no end after 200 steps: {:?}", driver.pipeline.state);
    }
}

#[test]
fn a_stranger_commit_in_a_verdict_is_stale() {
    let mut driver = Driver::started();
    driver.succeed_until(|it| {
        it.live.iter().any(|(slot, _)| slot.work.to_string() == "gate:questions")
    });
    let (slot, _) = driver.job("gate:questions");
    let verdict = verdict(&driver.pipeline, &slot, &sha(77), VerdictOutcome::Pass);
    assert!(matches!(
        driver.give(&Input::JobDone { slot, report: Report::Gate { verdict } }),
        Err(Refusal::Stale { .. })
    ));
}
