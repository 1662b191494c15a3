//! What pipelines live through, a story each.

use super::fixtures::{Driver, sha, stage_name};
use crate::{
    decision::Choice,
    failure::{Failure, FailureClass},
    limits::WORDS_BYTES_MAX,
    pipeline::{
        Block, Delivered, EventKind, Input, MergeReport, PipelineState, PipelineStateTag as Tag,
        Refusal, Report, TimerKey,
    },
    usage::Usage,
};

fn status(driver: &Driver) -> Tag {
    (&driver.pipeline.state).into()
}

/// Up to the approval of the plan.
fn at_approval() -> Driver {
    let mut driver = Driver::started();
    driver.succeed_until(|it| it.open.is_some());
    driver
}

fn in_build() -> Driver {
    let mut driver = at_approval();
    driver.resolve(Choice::Approve, "").expect("an approval is offered");
    driver
}

fn in_ship() -> Driver {
    let mut driver = in_build();
    driver.succeed_until(|it| it.pipeline.stage() == Some(&stage_name("ship")));
    driver
}

#[test]
fn everything_passing_ends_in_a_merge() {
    let mut driver = in_build();
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert!(matches!(
        driver.pipeline.state,
        PipelineState::Succeeded { delivered: Delivered::Merged { .. } }
    ));
    assert!(!driver.armed && !driver.holds_lease && driver.open.is_none());
}

#[test]
fn roles_side_by_side_are_joined_before_the_gates() {
    let mut driver = Driver::started();
    driver.succeed_until(|it| it.live.len() == 2);
    let works: Vec<String> = driver.live.iter().map(|(slot, _)| slot.work.to_string()).collect();
    assert_eq!(works, ["agent:planner", "agent:risks"]);
    driver.succeed_one();
    driver.succeed_one();
    driver.job("join");
}

#[test]
fn a_rejection_reaches_the_agent_word_for_word_and_is_not_counted() {
    let mut driver = at_approval();
    for _ in 0..10 {
        driver.resolve(Choice::Reject, "The flag must be `-V`.").expect("a rejection is offered");
        let attempt = driver.pipeline.state.attempt().expect("an attempt");
        assert_eq!(attempt.feedback.findings[0].message, "The flag must be `-V`.");
        driver.succeed_until(|it| it.open.is_some());
    }
    assert_eq!(status(&driver), Tag::AwaitingHuman);
}

#[test]
fn an_empty_rejection_is_no_answer() {
    let mut driver = at_approval();
    let before = driver.pipeline.clone();
    assert_eq!(
        driver.resolve(Choice::Reject, " \n"),
        Err(Refusal::CommentMissing { choice: Choice::Reject })
    );
    assert_eq!(driver.pipeline, before);
}

#[test]
fn a_choice_that_is_not_offered_leaves_the_question_open() {
    let mut driver = at_approval();
    assert!(matches!(driver.resolve(Choice::Waive, "because"), Err(Refusal::NotOffered { .. })));
    assert!(driver.open.is_some());
}

#[test]
fn words_that_nobody_would_read_change_nothing() {
    let mut driver = at_approval();
    let words = "x".repeat(WORDS_BYTES_MAX + 1);
    let refusal = driver.resolve(Choice::Reject, &words).unwrap_err();
    assert_eq!(refusal.to_string(), "the words of `resolve` have 65537 bytes, at most 65536 fit");
    assert!(driver.open.is_some());
    assert!(driver.resolve(Choice::Reject, &words[1..]).is_ok());
}

#[test]
fn failing_tests_go_back_to_the_developer_and_then_fail_as_the_route_says() {
    let mut driver = in_build();
    for count in 1..=3 {
        driver.succeed_one();
        let decided = driver.fail_gate("gate:tests");
        let sent_back = decided
            .events
            .iter()
            .any(|event| matches!(event, EventKind::SentBack { count: it, .. } if *it == count));
        assert_eq!(sent_back, count <= 2, "round {count}");
    }
    assert_eq!(status(&driver), Tag::Failed);
}

#[test]
fn a_failed_pipeline_can_be_retried_with_words_for_the_agent() {
    let mut driver = in_build();
    for _ in 0..3 {
        driver.succeed_one();
        driver.fail_gate("gate:tests");
    }
    driver
        .give(&Input::Retry { comment: "look at the clock".to_owned() })
        .expect("a failed pipeline can be retried");
    let attempt = driver.pipeline.state.attempt().expect("an attempt");
    assert_eq!(
        (attempt.stage.as_str(), attempt.feedback.answers[0].answer.as_str()),
        ("build", "look at the clock")
    );
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert_eq!(status(&driver), Tag::Succeeded);
}

#[test]
fn an_agent_that_keeps_handing_in_nonsense_ends_with_a_person() {
    let mut driver = in_build();
    for _ in 0..2 {
        driver.refuse_hand_in("agent:developer");
        assert_eq!(status(&driver), Tag::Running);
    }
    driver.refuse_hand_in("agent:developer");
    assert!(matches!(
        driver.pipeline.state,
        PipelineState::Blocked { block: Block::HandIn { .. }, .. }
    ));
    assert!(driver.live.is_empty());
    driver.resolve(Choice::Retry, "write to src only").expect("retry is offered");
    driver.job("agent:developer");
}

#[test]
fn one_failing_role_stops_its_wave() {
    let mut driver = Driver::started();
    driver.succeed_until(|it| it.live.len() == 2);
    let (slot, _) = driver.job("agent:risks");
    let failure = Failure::new(FailureClass::Permanent, "exited with code 1");
    driver
        .give(&Input::JobFailed { slot, failure, usage: Usage::default() })
        .expect("a live job may report");
    assert_eq!(status(&driver), Tag::Blocked);
    assert!(driver.live.is_empty(), "{:?}", driver.live);
}

#[test]
fn a_late_report_of_a_cancelled_job_changes_nothing() {
    let mut driver = in_build();
    let (slot, commit) = driver.job("agent:developer");
    let report = driver.success(&slot, commit.as_ref());
    driver
        .give(&Input::RestartStage { stage: stage_name("plan") })
        .expect("a stage can be restarted");
    assert!(matches!(driver.give(&Input::JobDone { slot, report }), Err(Refusal::Stale { .. })));
}

#[test]
fn what_happens_in_a_pause_stays_paused() {
    let mut driver = in_build();
    driver.give(&Input::Pause).expect("a running pipeline can pause");
    driver.succeed_one();
    assert_eq!(status(&driver), Tag::Paused);
    driver.give(&Input::Resume).expect("a paused pipeline can resume");
    assert_eq!(status(&driver), Tag::Running);
    driver.job("gate:tests");
}

#[test]
fn a_job_that_is_lost_in_a_pause_does_not_pause_it_twice() {
    let mut driver = in_build();
    driver.give(&Input::Pause).expect("a running pipeline can pause");
    let (slot, _) = driver.job("agent:developer");
    let failure = Failure::new(FailureClass::Lost, "its worker is gone");
    driver
        .give(&Input::JobRetried { slot, failure, usage: Usage::default() })
        .expect("a live job may be lost");
    driver.give(&Input::Resume).expect("a paused pipeline can resume");
    assert_eq!(status(&driver), Tag::Running);
}

#[test]
fn a_paused_pipeline_can_be_cancelled() {
    let mut driver = at_approval();
    driver.give(&Input::Pause).expect("a waiting pipeline can pause");
    driver
        .give(&Input::Cancel { reason: "no longer wanted".to_owned() })
        .expect("a paused pipeline can be cancelled");
    assert_eq!(status(&driver), Tag::Cancelled);
    assert!(driver.open.is_none() && !driver.armed);
}

#[test]
fn a_target_that_moves_makes_the_merge_start_again_with_fresh_gates() {
    let mut driver = in_ship();
    driver.succeed_until(|it| it.live.iter().any(|(slot, _)| slot.work.to_string() == "land"));
    let (slot, _) = driver.job("land");
    driver
        .give(&Input::JobDone { slot, report: Report::Merge(MergeReport::TargetMoved) })
        .expect("a live job may report");
    let (slot, _) = driver.job("integrate");
    assert_eq!(slot.round, 1);
    driver.succeed_one();
    assert_eq!(driver.job("gate:mergeable").0.round, 1);
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert_eq!(status(&driver), Tag::Succeeded);
}

/// A landing that was given up may have moved the target: whoever goes on looks there, with the candidate that may be
/// there, and nobody makes another one meanwhile.
#[test]
fn a_landing_in_doubt_is_landed_again_and_never_made_anew() {
    let mut driver = in_ship();
    driver.succeed_until(|it| it.live.iter().any(|(slot, _)| slot.work.to_string() == "land"));
    let (given_up, candidate) = driver.job("land");
    driver.give_up("land");
    assert_eq!(status(&driver), Tag::Blocked);
    assert!(!driver.holds_lease, "others may merge while a person is asked");
    for stage in ["build", "ship"] {
        let begin_anew = Input::RestartStage { stage: stage_name(stage) };
        let refused = driver.fork().give(&begin_anew);
        assert!(matches!(refused, Err(Refusal::MayHaveLanded { .. })), "{stage}: {refused:?}");
    }
    driver.give(&Input::Retry { comment: String::new() }).expect("a blocked pipeline is retried");
    let (again, commit) = driver.job("land");
    assert_eq!(commit, candidate);
    assert_ne!(again, given_up, "a job of its own, with budgets of its own");
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert_eq!(status(&driver), Tag::Succeeded);
}

/// What the target holds of a pipeline, and its log does not tell of, was merged before a backup was brought back.
#[test]
fn a_merge_of_before_a_backup_is_a_question_and_the_answer_goes_on() {
    let mut driver = in_ship();
    let (slot, _) = driver.job("integrate");
    let report = Report::Merge(MergeReport::MergedBefore { commits: vec![sha(600)] });
    let decided = driver.give(&Input::JobDone { slot, report }).expect("a live job may report");
    let known = |event: &EventKind| matches!(event, EventKind::MergedBefore { commits } if *commits == [sha(600)]);
    assert!(decided.events.iter().any(known), "it is known from now on");
    assert_eq!(status(&driver), Tag::Blocked);
    assert!(!driver.holds_lease);
    driver.give(&Input::Retry { comment: String::new() }).expect("a blocked pipeline is retried");
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert_eq!(status(&driver), Tag::Succeeded);
}

#[test]
fn what_nobody_has_landed_may_be_made_anew() {
    let mut driver = in_ship();
    driver.succeed_until(|it| it.live.iter().any(|(slot, _)| slot.work.to_string() == "land"));
    let (slot, _) = driver.job("land");
    let refused = MergeReport::Refused { reason: "local changes are in the way".to_owned() };
    driver
        .give(&Input::JobDone { slot, report: Report::Merge(refused) })
        .expect("a live job may report");
    let begin_anew = Input::RestartStage { stage: stage_name("build") };
    driver.fork().give(&begin_anew).expect("the target does not hold it");
    driver.give(&Input::Retry { comment: String::new() }).expect("a blocked pipeline is retried");
    driver.job("integrate");
}

#[test]
fn a_merge_conflict_goes_back_to_the_developer_and_frees_the_lease() {
    let mut driver = in_ship();
    assert!(driver.holds_lease);
    let (slot, _) = driver.job("integrate");
    let findings = vec![crate::verdict::Finding::blocking("<<<<<<<")];
    driver
        .give(&Input::JobDone {
            slot,
            report: Report::Merge(MergeReport::Conflict { head: sha(500), findings }),
        })
        .expect("a live job may report");
    assert_eq!(driver.pipeline.stage(), Some(&stage_name("build")));
    assert!(!driver.holds_lease);
}

#[test]
fn a_spent_token_limit_asks_before_the_next_agent_and_a_grant_goes_on() {
    let mut driver = at_approval();
    driver.pipeline.usage.input_tokens = 5000;
    driver.resolve(Choice::Approve, "").expect("an approval is offered");
    assert!(matches!(
        driver.pipeline.state,
        PipelineState::Blocked { block: Block::Limit { .. }, .. }
    ));
    driver.pipeline.usage.input_tokens = 1500;
    driver.resolve(Choice::Continue, "").expect("continuing is offered");
    driver.job("agent:developer");
}

#[test]
fn restarting_never_jumps_over_gates() {
    let mut driver = in_build();
    let ahead = driver.give(&Input::RestartStage { stage: stage_name("ship") });
    assert!(matches!(ahead, Err(Refusal::StageAhead { .. })), "{ahead:?}");
    driver.give(&Input::RestartStage { stage: stage_name("plan") }).expect("an earlier stage");
}

#[test]
fn a_granted_limit_asks_again_what_was_being_asked_and_runs_no_agent_twice() {
    let mut driver = at_approval();
    let agents = driver.pipeline.attempts.clone();
    driver.give(&Input::TimerFired { timer: TimerKey::WallTime }).expect("a timer may fire");
    driver.resolve(Choice::Continue, "").expect("continuing is offered");
    assert_eq!(status(&driver), Tag::AwaitingHuman);
    assert_eq!(driver.pipeline.attempts, agents);
    assert!(driver.armed);
}

#[test]
fn a_conflict_is_mended_on_top_of_both_sides() {
    let mut driver = in_ship();
    let (slot, _) = driver.job("integrate");
    let findings = vec![crate::verdict::Finding::blocking("<<<<<<<")];
    let report = Report::Merge(MergeReport::Conflict { head: sha(77), findings });
    driver.give(&Input::JobDone { slot, report }).expect("a live job may report");
    assert_eq!(driver.job("agent:developer").1, Some(sha(77)));
}

#[test]
fn the_wall_time_withdraws_an_open_question_and_asks_its_own() {
    let mut driver = at_approval();
    let asked = driver.open;
    driver.give(&Input::TimerFired { timer: TimerKey::WallTime }).expect("a timer may fire");
    assert_eq!(status(&driver), Tag::Blocked);
    assert!(driver.open.is_some() && driver.open != asked);
}

#[test]
fn an_agent_may_ask_only_so_often() {
    let mut driver = Driver::started();
    for round in 1..=4 {
        driver.succeed_until(|it| {
            it.live.iter().any(|(slot, _)| slot.work.to_string() == "gate:questions")
        });
        let (slot, _) = driver.job("gate:questions");
        let report = Report::GateAsks { questions: "Which flag?".to_owned() };
        driver.give(&Input::JobDone { slot, report }).expect("a live job may report");
        let expected = if round <= 3 { Tag::AwaitingHuman } else { Tag::Blocked };
        assert_eq!(status(&driver), expected, "round {round}");
        driver.resolve(Choice::Answer, "-V").expect("an answer is offered");
    }
}

#[test]
fn without_human_gates_the_approval_is_waived_and_says_so() {
    let mut driver = Driver::new();
    driver.pipeline.options.human_gates = false;
    driver.give(&Input::Start).expect("a queued pipeline starts");
    driver.succeed_until(|it| it.pipeline.state.is_terminal());
    assert_eq!(status(&driver), Tag::Succeeded);
}

#[test]
fn a_branch_that_is_only_left_has_passed_the_gates_of_its_last_stage_too() {
    let mut driver = Driver::new();
    let last = driver.definition.stages.last_mut().expect("a stage");
    last.action = Some(crate::definition::Action::Deliver);
    driver.pipeline.options.delivery = crate::pipeline::Delivery::Branch;
    driver.give(&Input::Start).expect("a queued pipeline starts");
    driver.succeed_until(|it| it.open.is_some());
    driver.resolve(Choice::Approve, "").expect("an approval is offered");
    driver.succeed_until(|it| {
        it.live.iter().any(|(slot, _)| slot.work.to_string() == "gate:mergeable")
    });
    driver.succeed_one();
    driver.job("publish");
    driver.succeed_one();
    assert!(matches!(
        driver.pipeline.state,
        PipelineState::Succeeded { delivered: Delivered::Branch { .. } }
    ));
}

#[test]
fn a_waived_gate_lets_the_very_commit_go_on() {
    let mut driver = in_ship();
    driver.succeed_one();
    driver.fail_gate("gate:mergeable");
    driver.succeed_until(|it| {
        it.live.iter().any(|(slot, _)| slot.work.to_string() == "gate:mergeable")
    });
    driver.fail_gate("gate:mergeable");
    assert!(matches!(
        driver.pipeline.state,
        PipelineState::Blocked { block: Block::GateFailed { .. }, .. }
    ));
    driver.resolve(Choice::Waive, "known flake, ticket 12").expect("waiving is offered");
    driver.job("land");
}
