//! Histories that are kept: each showed something once, and breaks no rule now.

use crate::simulation::{History, Plan};

fn plan(json: &str) -> Plan {
    serde_json::from_str(json).unwrap()
}

fn assert_breaks_no_rule(json: &str) {
    assert_eq!(History::of(&plan(json)).violation, None);
}

/// The process dies in the work of another pipeline until the end of an agent, which had nothing to do with it, is not
/// taken up any more. What the agent had not committed was thrown away when a person had the stage begin anew.
#[test]
fn what_an_agent_left_is_kept_though_its_end_was_given_up() {
    assert_breaks_no_rule(include_str!(
        "plans/the-end-of-an-agent-whose-process-was-given-up.json"
    ));
}

/// The target is moved, and the process dies before that is written, until the landing is given up. Whoever had a stage
/// begin anew merged the work a second time.
#[test]
fn what_was_landed_by_a_process_that_died_is_not_merged_again() {
    let plan = plan(include_str!("plans/a-landing-that-was-given-up.json"));
    let history = History::of(&plan);
    assert_eq!(history.violation, None);
    let moves = history.coverage.moves;
    assert!(moves.contains_key(&("blocked: landing", "resolve")), "{moves:?}");
}

/// A stage begins anew while the task before it, cut short by a store without room, has let go of the workspace and has not
/// told its result: whoever came next took its run for one that somebody follows, and what was left for lost.
#[test]
fn a_workspace_is_had_until_the_result_is_told() {
    assert_breaks_no_rule(include_str!(
        "plans/a-result-that-is-told-after-its-workspace-was-free.json"
    ));
}

/// Somebody asks a suspended process to go on, and the end was judged before it had heard of that.
#[test]
fn the_end_waits_for_what_was_asked_of_a_suspended_process() {
    assert_breaks_no_rule(include_str!("plans/something-asked-of-a-suspended-process.json"));
}

/// What an agent left could not be taken up, and a person cancelled: nobody stopped looking after it, and its run stayed open.
#[test]
fn the_run_of_an_agent_that_nobody_follows_is_ended() {
    assert_breaks_no_rule(include_str!("plans/an-agent-that-nobody-follows.json"));
}

/// The wall time of a pipeline takes the job away just as its agent ends: whoever had the job ends the run.
#[test]
fn the_run_of_a_job_that_was_taken_away_as_it_ended_is_ended() {
    assert_breaks_no_rule(include_str!("plans/a-wall-time-that-ends-with-an-agent.json"));
}

/// A person has the stage begin anew while the process is gone: who stops its agent and who takes the run up would both end
/// it, and the later wrote over what the other had said.
#[test]
fn a_run_that_two_would_end_ends_once() {
    assert_breaks_no_rule(include_str!("plans/a-run-that-two-would-end.json"));
}

/// The clean-up comes while a person's cancellation is still stopping the agent. It failed twice at once, and the workspace
/// stayed; it waits for its turn, and the look that runs once a minute would find the workspace as well.
#[test]
fn a_clean_up_waits_for_the_agent_that_is_being_stopped() {
    assert_breaks_no_rule(include_str!("plans/a-clean-up-while-an-agent-is-being-stopped.json"));
}

/// A stage begins anew, with the whole wall time, after it was looked which timers are due and before the old one fires: it
/// ended what had just begun.
#[test]
fn a_wall_time_that_is_granted_anew_as_it_fires_does_not_fire() {
    let json = include_str!("plans/a-wall-time-that-is-granted-anew-as-it-fires.json");
    let history = History::of(&plan(json));
    assert_eq!(history.violation, None);
    let moves = history.coverage.moves;
    assert!(moves.contains_key(&("awaiting_human", "restart_stage")), "{moves:?}");
    assert!(!moves.contains_key(&("running: working", "timer_fired")), "{moves:?}");
}

/// The store has no room just as an agent that was stopped has ended. The process that ends when nothing is left to do looks
/// once more before it does: nobody may look again for long.
#[test]
fn a_run_whose_end_could_not_be_written_is_closed_before_the_process_ends() {
    assert_breaks_no_rule(include_str!("plans/a-run-whose-end-could-not-be-written.json"));
}
