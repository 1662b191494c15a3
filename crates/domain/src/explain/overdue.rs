//! Work that could be done and is not.

use jiff::{SignedDuration, Timestamp};

use super::{Slots, mover::find_cap};
use crate::{
    job::{Job, JobState},
    limits::JOB_OVERDUE,
};

/// The oldest job that has been due for too long although nothing keeps it: no cap is reached, it does not wait for a
/// merge, and nobody says that it `is_kept`. `jobs` are all that are queued or running.
#[must_use]
pub fn find_overdue(
    jobs: &[Job],
    slots: Slots,
    now: Timestamp,
    is_kept: impl Fn(&Job) -> bool,
) -> Option<&Job> {
    let overdue = jobs.iter().filter_map(|job| match job.state {
        JobState::Queued { available_at } if is_overdue(available_at, now) => {
            Some((available_at, job))
        }
        _ => None,
    });
    overdue
        .filter(|(_, job)| !job.exclusive && !is_kept(job) && find_cap(jobs, slots, job).is_none())
        .min_by_key(|(due, job)| (*due, job.id))
        .map(|(_, job)| job)
}

/// Whether something that could be done since `due` should have been begun long ago.
#[must_use]
pub fn is_overdue(due: Timestamp, now: Timestamp) -> bool {
    let limit = SignedDuration::try_from(JOB_OVERDUE).unwrap_or(SignedDuration::MAX);
    now.duration_since(due) > limit
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        id::{JobId, PipelineId},
        job::{Budget, Lease, Slot, Work},
        name::{AgentName, GateName, ProjectKey, StageName},
    };

    const SLOTS: Slots = Slots { total: 2, per_project: None, per_agent: None };

    fn job(id: u128, state: JobState) -> Job {
        Job {
            id: JobId::from_u128(id),
            pipeline: PipelineId::from_u128(id),
            project: ProjectKey::new("ET").unwrap(),
            slot: Slot {
                epoch: 1,
                stage: StageName::new("build").unwrap(),
                attempt: 1,
                round: 0,
                work: Work::Gate { gate: GateName::new("tests").unwrap() },
            },
            commit: None,
            agent: Some(AgentName::new("a").unwrap()),
            exclusive: false,
            priority: 0,
            budget: Budget::default(),
            claims: 1,
            state,
            last_error: None,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn running(id: u128) -> Job {
        let lease = Lease { owner: "a".to_owned(), token: 1, expires_at: Timestamp::MAX };
        job(id, JobState::Running { lease })
    }

    fn found(jobs: &[Job], slots: Slots, waited: Duration) -> bool {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::try_from(waited).unwrap();
        find_overdue(jobs, slots, now, |_| false).is_some()
    }

    /// F9: a leader that reports to be active, accepts work and never does any.
    #[test]
    fn f9_a_job_that_nothing_keeps_and_nobody_takes_is_overdue() {
        let queued = job(1, JobState::Queued { available_at: Timestamp::UNIX_EPOCH });
        let long = JOB_OVERDUE + Duration::from_secs(1);
        assert!(found(&[queued.clone(), running(2)], SLOTS, long));
        assert!(!found(&[queued.clone(), running(2)], SLOTS, JOB_OVERDUE), "not yet");
        assert!(!found(&[queued.clone(), running(2), running(3)], SLOTS, long), "no slot is free");
        let exclusive = Job { exclusive: true, ..queued.clone() };
        assert!(!found(&[exclusive], SLOTS, long), "it may wait for a merge");
        let one_each = Slots { per_project: Some(1), ..SLOTS };
        assert!(!found(&[queued, running(2)], one_each, long), "its project has its share");
    }

    #[test]
    fn a_job_that_is_kept_hides_no_other_one() {
        let due = |id, second| {
            let available_at = Timestamp::from_second(second).unwrap();
            job(id, JobState::Queued { available_at })
        };
        let jobs = [due(3, 2), due(2, 1), due(1, 0)];
        let now = Timestamp::from_second(3).unwrap() + JOB_OVERDUE;
        let oldest = |kept: &[u128]| {
            let is_kept = |job: &Job| kept.iter().any(|id| job.id == JobId::from_u128(*id));
            find_overdue(&jobs, SLOTS, now, is_kept).map(|job| job.id)
        };
        assert_eq!(oldest(&[]), Some(JobId::from_u128(1)));
        assert_eq!(oldest(&[1]), Some(JobId::from_u128(2)));
        assert_eq!(oldest(&[1, 2, 3]), None);
    }
}
