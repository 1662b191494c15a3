//! Which job could be done for long, and nobody does it?

use std::collections::BTreeSet;

use api::{BreakerView, DamageView};
use domain::{
    explain::{Slots, find_overdue, is_overdue},
    id::{JobId, PipelineId},
    job::{Job, JobKind},
};
use engine::Lack;
use jiff::Timestamp;

/// What may keep a job that is due.
pub(super) struct Keepers<'a> {
    /// Agents that are not started.
    pub(super) breakers: &'a [BreakerView],
    /// What this machine lacks.
    pub(super) lacks: &'a [Lack],
    /// What cannot be read, and parks its pipeline.
    pub(super) damaged: &'a [DamageView],
}

/// The oldest of `jobs` that has been due for long although nothing keeps it. `due` is when the first is.
pub(super) fn find(
    jobs: &[Job],
    slots: Slots,
    due: Option<Timestamp>,
    paused: &BTreeSet<PipelineId>,
    keepers: &Keepers<'_>,
) -> Option<JobId> {
    let now = Timestamp::now();
    if due.is_none_or(|due| !is_overdue(due, now)) {
        return None;
    }
    let is_kept = |job: &Job| paused.contains(&job.pipeline) || keepers.keep(job);
    find_overdue(jobs, slots, now, is_kept).map(|job| job.id)
}

impl Keepers<'_> {
    /// Whether one of them keeps it: what this machine lacks keeps only what starts a process, and of one agent's only
    /// its jobs.
    fn keep(&self, job: &Job) -> bool {
        let starts_a_process = matches!(job.slot.work.kind(), JobKind::Agent | JobKind::Gate);
        let stands_behind =
            |it: &BreakerView| job.agent.iter().any(|agent| it.agents.contains(agent));
        self.damaged.iter().any(|it| it.pipeline == job.pipeline.to_string())
            || self.breakers.iter().any(stands_behind)
            || (starts_a_process && self.lacks.iter().any(|it| it.holds(job.agent.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        job::{Budget, JobState, Slot, Work},
        name::{AgentName, GateName, ProjectKey, RoleName, StageName},
    };

    use super::*;

    fn job(work: Work, agent: Option<&str>) -> Job {
        Job {
            id: JobId::from_u128(1),
            pipeline: PipelineId::from_u128(1),
            project: ProjectKey::new("ET").unwrap(),
            slot: Slot {
                epoch: 1,
                stage: StageName::new("build").unwrap(),
                attempt: 1,
                round: 0,
                work,
            },
            commit: None,
            agent: agent.map(|name| AgentName::new(name).unwrap()),
            exclusive: false,
            priority: 0,
            budget: Budget::default(),
            claims: 0,
            state: JobState::Queued { available_at: Timestamp::UNIX_EPOCH },
            last_error: None,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_lacking_keeps_only_whom_it_is_about() {
        let agent = |name| job(Work::Agent { role: RoleName::new("solo").unwrap() }, Some(name));
        let gate = job(Work::Gate { gate: GateName::new("tests").unwrap() }, None);
        let opening = job(Work::Open, None);
        let of_one = Lack::of_line("agent it\tit is gone").unwrap();
        let of_all = Lack::of_line("the disk is full").unwrap();
        let kept = |lack: &Lack, job: &Job| {
            let lacks = std::slice::from_ref(lack);
            Keepers { breakers: &[], lacks, damaged: &[] }.keep(job)
        };
        assert!(kept(&of_one, &agent("it")));
        assert!(!kept(&of_one, &agent("other")) && !kept(&of_one, &gate));
        assert!(kept(&of_all, &agent("other")) && kept(&of_all, &gate));
        assert!(!kept(&of_all, &opening), "it starts no process");
    }
}
