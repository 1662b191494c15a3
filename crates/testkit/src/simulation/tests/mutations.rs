//! The simulation finds what is broken on purpose, and nothing where nothing is. Each fault has a kept plan that shows it:
//! what is found does not depend on the plans that seeds happen to make. `docs/dev/simulation.md` says how to make one.

use crate::simulation::{Act, History, Mutation, Plan};

/// Where histories of seeds start: those of other tests are others.
const SEED: u64 = 40_000;

/// In how many orders of events a plan is played.
const ORDERS: u64 = 10;

/// A fault, the plan that shows it, and the rule that it breaks there.
struct Kept {
    mutation: Mutation,
    plan: &'static str,
    rule: &'static str,
}

impl Kept {
    fn plan(&self) -> Plan {
        serde_json::from_str(self.plan).unwrap()
    }

    /// Who loses a race to a fault is chance: one of a few orders of events has to show it. Most show it in each.
    fn assert_found(&self) {
        let mut orders = (1..=ORDERS).map(|seed| Plan { seed, ..self.plan() });
        let found = orders.any(|plan| {
            assert_eq!(History::of(&plan).violation, None, "only the fault is to blame");
            let broken = History::mutated(&plan, self.mutation).violation;
            broken.is_some_and(|it| it.invariant == self.rule)
        });
        assert!(found, "{:?} does not break the rule: {}", self.mutation, self.rule);
    }
}

/// Makes a test of each: its name, the fault, and the rule that it breaks in `plans/mutations/FAULT.json`.
macro_rules! found {
    ($($name:ident: $mutation:ident breaks $rule:literal;)*) => {
        const KEPT: &[Kept] = &[$(Kept {
            mutation: Mutation::$mutation,
            plan: include_str!(concat!("plans/mutations/", stringify!($mutation), ".json")),
            rule: $rule,
        }),*];

        $(
            #[test]
            fn $name() {
                let kept = KEPT.iter().find(|kept| kept.mutation == Mutation::$mutation);
                kept.unwrap().assert_found();
            }
        )*
    };
}

found! {
    dropping_the_fencing_check_is_found:
        DropTheFencingCheck breaks "only the holder of a lease counts";
    skipping_the_consumed_mark_is_found: SkipTheConsumedMark breaks "an input counts once";
    applying_effects_before_the_commit_is_found:
        ApplyEffectsBeforeCommit breaks "a run ends with the report of its job";
    answering_before_the_commit_is_found: AnswerBeforeCommit breaks "what was answered is there";
    forgetting_a_timer_is_found: ForgetATimer breaks "no timer is forgotten";
    counting_a_lost_run_against_the_budget_is_found:
        CountALostRun breaks "what is not its fault costs nothing";
    launching_without_recording_the_run_is_found:
        LaunchWithoutRecord breaks "a run is recorded before it is launched";
    reaping_without_looking_at_the_end_of_the_lease_is_found:
        ReapTheLiving breaks "nobody at work is taken for dead";
    completing_without_the_state_check_is_found:
        CompleteWithoutTheJob breaks "only the holder of a lease counts";
    releasing_the_merge_lease_too_early_is_found:
        ReleaseTheMergeLeaseEarly breaks "one merges at a time";
    ignoring_caps_is_found: IgnoreCaps breaks "caps hold";
    working_through_a_pause_is_found: WorkThroughAPause breaks "the log tells the state";
    leaving_a_job_queued_at_a_cancellation_is_found:
        LeaveAJobQueued breaks "an end leaves nothing behind";
    leaving_an_answered_question_open_is_found:
        LeaveAQuestionOpen breaks "the question that is open is the one that is waited for";
    losing_wake_ups_without_a_safety_poll_is_found:
        LoseWakeUpsAndPoll breaks "everything comes to rest";
    cleaning_up_before_the_salvage_is_found:
        CleanUpBeforeSalvage breaks "no run is left open";
    a_step_that_tells_nothing_is_found: TellNothing breaks "every step is told, without a gap";
    landing_without_comparing_is_found:
        LandWithoutComparing breaks "the world is not damaged";
    launching_again_is_found: LaunchAgain breaks "no agent is left at work";
    passing_without_the_gate_is_found:
        PassWithoutTheGate breaks "no stage is left without its gates";
    leaving_a_run_open_is_found: LeaveARunOpen breaks "a result ends its run";
    sending_a_letter_twice_in_parallel_is_found:
        SendTwice breaks "a letter is sent once for each time it is taken";
    losing_a_letter_is_found:
        LoseALetter breaks "every letter that is owed is written with its event";
    counting_a_spent_window_is_found:
        CountASpentWindow breaks "what is not its fault costs nothing";
    ignoring_breakers_is_found: IgnoreBreakers breaks "behind an open breaker nothing starts";
    looking_away_from_a_machine_that_cannot_work_is_found:
        LookAway breaks "nothing is launched where it cannot run";
}

#[test]
fn every_deliberate_fault_has_a_kept_plan_but_the_one_that_is_survived() {
    let has_none = |it: &&Mutation| KEPT.iter().all(|kept| kept.mutation != **it);
    let without: Vec<_> = Mutation::ALL.iter().filter(has_none).collect();
    assert_eq!(without, [&Mutation::LoseWakeUps]);
}

/// A number of calls means something else as soon as a call is added.
#[test]
fn processes_of_kept_plans_die_at_calls_that_are_named() {
    for kept in KEPT {
        let by_number = |act: &Act| matches!(act, Act::Crash { .. });
        assert!(!kept.plan().acts.iter().any(by_number), "{:?}", kept.mutation);
    }
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
