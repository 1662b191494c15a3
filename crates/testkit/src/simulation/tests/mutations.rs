//! The simulation finds what is broken on purpose, and nothing where nothing is.

use crate::simulation::{History, Mutation, Plan};

/// Histories within which a fault must be found.
const HISTORIES: u64 = 300;
/// Where they start: seeds of other tests are others.
const SEED: u64 = 40_000;

fn assert_found(mutation: Mutation, nodes: u8) {
    let mut plans = (SEED..SEED + HISTORIES).map(|seed| Plan::of_seed(seed, nodes));
    // Only the fault is to blame: without it, the same history breaks no rule.
    let found = plans.any(|plan| {
        History::mutated(&plan, mutation).violation.is_some()
            && History::of(&plan).violation.is_none()
    });
    assert!(found, "{mutation:?} was not found in {HISTORIES} histories");
}

/// Makes a test of each: its name, the fault, and on how many nodes it shows.
macro_rules! found {
    ($($name:ident: $mutation:ident on $nodes:literal;)*) => {$(
        #[test]
        fn $name() {
            assert_found(Mutation::$mutation, $nodes);
        }
    )*};
}

found! {
    dropping_the_fencing_check_is_found: DropTheFencingCheck on 2;
    skipping_the_consumed_mark_is_found: SkipTheConsumedMark on 1;
    applying_effects_before_the_commit_is_found: ApplyEffectsBeforeCommit on 1;
    answering_before_the_commit_is_found: AnswerBeforeCommit on 1;
    forgetting_a_timer_is_found: ForgetATimer on 1;
    counting_a_lost_run_against_the_budget_is_found: CountALostRun on 1;
    launching_without_recording_the_run_is_found: LaunchWithoutRecord on 1;
    reaping_without_looking_at_the_end_of_the_lease_is_found: ReapTheLiving on 2;
    completing_without_the_state_check_is_found: CompleteWithoutTheJob on 2;
    releasing_the_merge_lease_too_early_is_found: ReleaseTheMergeLeaseEarly on 1;
    ignoring_caps_is_found: IgnoreCaps on 1;
    working_through_a_pause_is_found: WorkThroughAPause on 1;
    leaving_a_job_queued_at_a_cancellation_is_found: LeaveAJobQueued on 1;
    leaving_an_answered_question_open_is_found: LeaveAQuestionOpen on 1;
    losing_wake_ups_without_a_safety_poll_is_found: LoseWakeUpsAndPoll on 1;
    cleaning_up_before_the_salvage_is_found: CleanUpBeforeSalvage on 1;
    a_step_that_tells_nothing_is_found: TellNothing on 1;
    launching_again_is_found: LaunchAgain on 1;
    passing_without_the_gate_is_found: PassWithoutTheGate on 1;
    leaving_a_run_open_is_found: LeaveARunOpen on 1;
    sending_a_letter_twice_in_parallel_is_found: SendTwice on 1;
    losing_a_letter_is_found: LoseALetter on 1;
    counting_a_spent_window_is_found: CountASpentWindow on 1;
    ignoring_breakers_is_found: IgnoreBreakers on 1;
    looking_away_from_a_machine_that_cannot_work_is_found: LookAway on 1;
}

/// The slow poll is there for lost wake-ups.
#[test]
fn lost_wake_ups_alone_are_survived() {
    for seed in SEED..SEED + 10 {
        let history = History::mutated(&Plan::of_seed(seed, 1), Mutation::LoseWakeUps);
        assert_eq!(history.violation, None, "seed {seed}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_broken() {
    for seed in SEED..SEED + 40 {
        let history = History::of(&Plan::of_seed(seed, 1));
        assert_eq!(history.violation, None, "seed {seed}");
    }
}
