//! The job's transition table, and its budgets.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;
use strum::VariantArray as _;

use super::{
    Budget, Job, JobInput, JobKind, JobNext, JobRefusal, JobState, JobStateTag, Lease, Slot, Work,
    backoff, decide::JobInputTag,
};
use crate::{
    failure::{Failure, FailureClass},
    id::{JobId, PipelineId},
    limits,
    name::{ProjectKey, RoleName, StageName},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn job(state: JobState) -> Job {
    let role = RoleName::new("developer").expect("a name");
    Job {
        id: JobId::from_u128(1),
        pipeline: PipelineId::from_u128(1),
        project: ProjectKey::new("ET").expect("a name"),
        slot: Slot {
            epoch: 1,
            stage: StageName::new("development").expect("a name"),
            attempt: 1,
            round: 0,
            work: Work::Agent { role },
        },
        commit: None,
        agent: None,
        exclusive: false,
        priority: 0,
        budget: Budget::default(),
        claims: 3,
        state,
        last_error: None,
        created_at: NOW,
    }
}

fn running() -> JobState {
    JobState::Running { lease: Lease { owner: "a".to_owned(), token: 3, expires_at: NOW } }
}

fn states() -> Vec<JobState> {
    vec![
        JobState::Queued { available_at: NOW },
        running(),
        JobState::Done,
        JobState::Failed,
        JobState::Cancelled,
    ]
}

fn fail(token: u64, class: FailureClass) -> JobInput {
    JobInput::Fail { token, failure: Failure::new(class, "it broke"), jitter: 0.5 }
}

fn inputs() -> Vec<(&'static str, JobInput)> {
    vec![
        ("claim", JobInput::Claim { owner: "b".to_owned(), ttl: limits::LEASE_TTL }),
        ("heartbeat", JobInput::Heartbeat { token: 3, until: NOW }),
        ("complete", JobInput::Complete { token: 3 }),
        ("complete, old token", JobInput::Complete { token: 2 }),
        ("fail transient", fail(3, FailureClass::Transient)),
        ("fail permanent", fail(3, FailureClass::Permanent)),
        ("fail resource", fail(3, FailureClass::Resource)),
        ("fail lost", fail(3, FailureClass::Lost)),
        ("fail quota", fail(3, FailureClass::Quota)),
        ("fail credentials", fail(3, FailureClass::Credentials)),
        ("fail, old token", fail(2, FailureClass::Permanent)),
        ("release", JobInput::Release { token: 3 }),
        ("expire", JobInput::Expire),
        ("cancel", JobInput::Cancel),
    ]
}

#[test]
fn transition_table() {
    let tags: Vec<JobStateTag> = states().iter().map(JobStateTag::from).collect();
    assert_eq!(tags, JobStateTag::VARIANTS, "a state is missing from the table");
    for tag in JobInputTag::VARIANTS {
        assert!(
            inputs().iter().any(|(_, input)| JobInputTag::from(input) == *tag),
            "{tag} is missing from the table"
        );
    }
    let mut table = String::new();
    for state in states() {
        for (name, input) in inputs() {
            let tag = JobStateTag::from(&state);
            let outcome = match job(state.clone()).decide(&input, NOW) {
                Ok(JobNext {
                    state,
                    budget: Budget { attempts, transient_attempts, lost, holds },
                }) => {
                    format!(
                        "{} ({attempts} own, {transient_attempts} transient, {lost} lost, {holds} held)",
                        JobStateTag::from(&state)
                    )
                }
                Err(JobRefusal::Fenced { .. }) => "(fenced)".to_owned(),
                Err(JobRefusal::NotAllowed { .. }) => continue,
            };
            writeln!(table, "{:<9} + {name:<19} -> {outcome}", tag.to_string())
                .expect("a string takes everything");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_job_is_not_claimed_before_its_time() {
    let later = JobState::Queued { available_at: Timestamp::from_second(1).expect("a time") };
    let claim = JobInput::Claim { owner: "b".to_owned(), ttl: limits::LEASE_TTL };
    assert!(matches!(job(later).decide(&claim, NOW), Err(JobRefusal::NotAllowed { .. })));
}

/// A rate limit is neither completion nor failure: waiting for it costs none of the budgets, and is bounded all the
/// same (lessons E27, E29).
#[test]
fn a_job_that_is_held_goes_on_until_its_own_limit() {
    let mut job = job(running());
    for _ in 0..limits::JOB_HOLDS_MAX {
        let next = job.decide(&fail(3, FailureClass::Quota), NOW).expect("the token is current");
        assert_eq!(next.state, JobState::Queued { available_at: NOW });
        job.budget = next.budget;
    }
    assert_eq!((job.budget.attempts, job.budget.transient_attempts), (0, 0));
    let next = job.decide(&fail(3, FailureClass::Credentials), NOW).expect("the token is current");
    assert_eq!(next.state, JobState::Failed);
}

#[test]
fn every_kind_of_job_has_work() {
    let role = RoleName::new("a").expect("a name");
    let gate = crate::name::GateName::new("a").expect("a name");
    let kinds: Vec<JobKind> =
        [Work::Agent { role }, Work::Gate { gate }, Work::Open, Work::Cleanup]
            .iter()
            .map(Work::kind)
            .collect();
    assert_eq!(kinds, JobKind::VARIANTS);
}

fn class() -> impl Strategy<Value = FailureClass> {
    proptest::sample::select(FailureClass::VARIANTS)
}

proptest! {
    /// Budgets never pass their limits, and what is not our fault costs nothing.
    #[test]
    fn budgets_hold_for_every_order_of_failures(classes in proptest::collection::vec(class(), 0..40)) {
        let mut job = job(running());
        for class in classes {
            let before = job.budget;
            let next = job.decide(&fail(3, class), NOW).expect("the token is current");
            let Budget { attempts, transient_attempts, lost, holds } = next.budget;
            prop_assert!(attempts <= limits::JOB_ATTEMPTS_MAX);
            prop_assert!(transient_attempts <= limits::JOB_TRANSIENT_ATTEMPTS_MAX);
            prop_assert!(lost <= limits::JOB_LOST_MAX + 1);
            prop_assert!(holds <= limits::JOB_HOLDS_MAX + 1);
            let is_own = matches!(class, FailureClass::Permanent | FailureClass::Resource);
            prop_assert_eq!(attempts, before.attempts + u32::from(is_own));
            let is_transient = class == FailureClass::Transient;
            prop_assert_eq!(transient_attempts, before.transient_attempts + u32::from(is_transient));
            let is_held = matches!(class, FailureClass::Quota | FailureClass::Credentials);
            prop_assert_eq!(holds, before.holds + u32::from(is_held));
            job.budget = next.budget;
            match next.state {
                JobState::Queued { .. } => {}
                JobState::Failed => return Ok(()),
                other => prop_assert!(false, "a failed try led to {other:?}"),
            }
        }
    }

    #[test]
    fn backoff_stays_between_the_wish_of_the_other_side_and_the_ceiling(failures in 0u32..100, wish in 0u64..10_000, jitter in 0.0f64..1.0) {
        let wait = backoff(failures, Some(Duration::from_secs(wish)), jitter);
        prop_assert!(wait <= limits::BACKOFF_MAX);
        prop_assert!(wait >= Duration::from_secs(wish).min(limits::BACKOFF_MAX));
    }
}
