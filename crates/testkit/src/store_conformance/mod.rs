//! What every store does, as tests: [`store_conformance!`](crate::store_conformance!) runs them all against one.

#![expect(clippy::unwrap_used, reason = "a call that fails is a failed test, here as in any test")]

pub mod fixtures;
pub mod lockstep;

pub mod breakers;
pub mod damage;
pub mod decisions;
pub mod events;
pub mod fairness;
pub mod leases;
pub mod letters;
pub mod merges;
pub mod pipelines;
pub mod projects;
pub mod runs;
pub mod steps;
pub mod stranded;
pub mod timers;

#[cfg(test)]
mod tests;

/// Makes a `#[tokio::test]` of every test of the suite.
///
/// `$store` is evaluated for each of them: an empty store, and whatever has to live as long as it.
#[macro_export]
macro_rules! store_conformance {
    ($store:expr) => {
        $crate::store_conformance_tests! {
            $store;
            projects:
                a_project_is_remembered_with_its_newest_place
                a_definition_stays_what_it_was_first
            ;
            pipelines:
                item_numbers_count_per_project
                a_number_that_a_branch_has_already_is_left_out
                a_pipeline_is_found_as_it_was_answered
                a_pipeline_is_found_by_its_item
                a_pipeline_that_belongs_to_nothing_is_refused
                pipelines_are_listed_newest_first
            ;
            steps:
                a_step_is_written_whole
                a_step_is_written_once_however_often_its_input_comes
                a_stale_step_writes_nothing
                a_step_of_a_pipeline_that_does_not_exist_is_stale
                a_report_settles_its_job_with_the_step
                a_worker_that_lost_its_lease_changes_nothing
                a_report_about_a_job_that_does_not_exist_is_fenced
                duplicate_goes_before_fenced_and_fenced_before_stale
                a_slot_that_has_a_job_keeps_it
                cancelling_leaves_clean_ups_alone
                cancelling_leaves_what_has_ended_and_the_new_epoch_alone
                a_job_that_would_be_tried_again_is_cancelled_with_the_others
            ;
            leases:
                a_job_is_leased_by_one_worker_only
                a_job_is_given_out_when_its_time_has_come_and_not_before
                a_claim_takes_no_more_than_it_asked_for
                every_claim_gives_out_a_new_token
                a_failed_try_is_remembered_with_its_reason
                a_report_with_an_old_token_settles_nothing
                a_heartbeat_extends_the_leases_that_are_held
                a_job_is_taken_back_only_while_its_lease_is_over
                the_first_lease_to_end_is_due
                jobs_are_listed_oldest_first
            ;
            fairness:
                the_highest_priority_goes_first_and_then_the_oldest
                a_busy_project_does_not_starve_another
                what_runs_already_counts_for_fairness
                caps_hold
                a_cap_has_room_again_when_a_job_ends
                git_jobs_and_clean_ups_stand_outside_the_caps
                jobs_of_a_paused_pipeline_stay
            ;
            merges:
                an_exclusive_job_waits_for_the_merge_lease_of_another_pipeline
                a_merge_lease_that_was_given_back_can_be_taken
                a_merge_lease_that_ran_out_can_be_taken
                a_heartbeat_keeps_the_merge_lease_of_its_pipeline
                projects_merge_side_by_side
                who_merges_is_known_as_long_as_the_lease_lasts
            ;
            breakers:
                a_breaker_is_remembered_and_never_overwritten_unseen
                a_step_with_a_stale_breaker_writes_nothing
                jobs_behind_an_open_breaker_stay_and_others_go_on
                a_breaker_that_is_due_lets_exactly_one_job_try
                a_probe_that_is_gone_is_replaced
                a_job_whose_agent_is_at_work_is_taken_up_through_an_open_breaker
                jobs_that_only_a_person_can_free_are_not_due
                what_was_found_unable_to_work_stays
                how_often_a_job_was_held_is_remembered
            ;
            events:
                events_are_numbered_without_a_gap
                an_event_tells_when_and_by_whom
                a_reader_that_pages_misses_no_event
                a_step_that_tells_nothing_names_the_last_event_of_all
                the_last_event_of_a_kind_is_found
            ;
            timers:
                timers_fire_once
                a_timer_set_anew_replaces_the_earlier_one
                changes_to_timers_are_made_in_order
                what_is_due_next_is_told_apart_by_jobs_and_timers
            ;
            decisions:
                a_question_is_answered_once
                questions_are_listed_oldest_first
            ;
            letters:
                a_letter_is_written_with_its_event_or_not_at_all
                an_event_is_told_to_a_destination_once
                letters_are_given_out_in_the_order_of_their_events
                a_letter_under_way_holds_back_those_behind_it_and_no_other_destination
                a_letter_that_waits_for_its_next_try_holds_back_those_behind_it
                a_letter_that_died_or_was_dropped_lets_those_behind_it_pass
                a_process_that_lost_its_letter_changes_nothing
                a_letter_that_a_person_has_tried_again_goes_first
                the_end_of_a_letter_is_written_with_its_step_or_not_at_all
                letters_are_listed_newest_first_and_counted
                the_letters_of_a_pipeline_are_listed_by_themselves
            ;
            damage:
                what_is_whole_is_no_damage_and_is_not_parked
            ;
            stranded:
                a_pipeline_that_nothing_will_move_is_found
                what_waits_for_a_person_or_was_not_started_is_not_stranded
            ;
            runs:
                a_run_is_remembered_as_it_changes
                the_open_run_of_a_job_is_its_newest_that_has_not_ended
                the_end_of_a_run_is_written_once
                a_run_is_recorded_by_whoever_has_its_job
                the_end_of_a_run_is_written_with_its_step_or_not_at_all
                the_newest_verdict_about_a_tree_counts
            ;
        }
    };
}

/// The part of [`store_conformance!`](crate::store_conformance) that knows no names.
#[doc(hidden)]
#[macro_export]
macro_rules! store_conformance_tests {
    ($store:expr; $($group:ident: $($name:ident)*;)*) => {
        $($(
            #[tokio::test]
            async fn $name() {
                let (store, _kept) = $store;
                $crate::store_conformance::$group::$name(&store).await;
            }
        )*)*
    };
}
