//! Who is at work, as this machine shows it. Leases say who was: after a kill they go on for half a minute.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    explain::is_at_work,
    id::{JobId, RunId},
    job::{Job, JobKind, JobState},
    pipeline::Pipeline,
};
use engine::Layout;
use jiff::Timestamp;
use ports::{Store as _, StoreError};

use super::data::Opened;
use crate::{error::CliError, holder::Holder};

/// The process that holds the data directory, and which workers of these jobs it is not.
pub(crate) struct Attendance {
    /// `None` where no process is alive that could change anything.
    pub(crate) holder: Option<Holder>,
    /// The owners of leases that are gone.
    pub(crate) gone: BTreeSet<String>,
}

impl Attendance {
    /// Looks who is there of those that have these jobs.
    pub(crate) fn of(data: &Opened, jobs: &[Job]) -> Self {
        let holder = data.holder();
        let owners = jobs.iter().filter_map(|job| Some(job.lease()?.owner.as_str()));
        let gone = owners.filter(|owner| is_gone(holder.as_ref(), owner));
        let gone = gone.map(str::to_owned).collect();
        Self { holder, gone }
    }

    /// The process that does what is due. One that only brings something, or stops an agent, does not.
    pub(crate) fn worker(&self) -> Option<&Holder> {
        self.holder.as_ref().filter(|it| it.works())
    }

    /// Whether a process works on a pipeline that has these jobs. One that is stopped does not, however long its leases are.
    pub(crate) fn is_at_work(&self, pipeline: &Pipeline, jobs: &[Job]) -> Option<bool> {
        let worker = self.holder.as_ref().filter(|it| it.is_at_work()).map(Holder::name);
        is_at_work(pipeline, jobs, worker.as_deref(), &self.gone, Timestamp::now())
    }
}

/// Whether the process that called itself `owner` is gone, where `holder` holds the data directory: one process does at a
/// time, and nobody else works.
pub(crate) fn is_gone(holder: Option<&Holder>, owner: &str) -> bool {
    let Some(holder) = holder else { return true };
    match (holder.pid(), pid_of_owner(owner)) {
        (Some(holder), Some(owner)) => holder != owner,
        // Somebody who calls itself otherwise: nobody guesses.
        (_, _) => false,
    }
}

/// `7-0123…`
fn pid_of_owner(owner: &str) -> Option<u32> {
    owner.split_once('-')?.0.parse().ok()
}

/// The agents that were launched for those of these jobs that are under way or wait to be taken up, and whether each
/// lives. An agent outlives the process that launched it, and that its pipeline was set aside. Of whom that cannot be
/// told, nothing is said.
pub(crate) async fn agents(
    data: &Opened,
    jobs: &[Job],
) -> Result<BTreeMap<JobId, (RunId, bool)>, CliError> {
    let layout = Layout::new(data.data_dir.clone());
    let mut agents = BTreeMap::new();
    for job in jobs {
        let is_live = matches!(job.state, JobState::Running { .. } | JobState::Queued { .. });
        // What was never given out has launched nobody.
        if !is_live || job.claims == 0 || job.slot.work.kind() != JobKind::Agent {
            continue;
        }
        let run = match data.store.find_open_run(job.id).await {
            Ok(run) => run,
            // Whoever lists what is damaged says so.
            Err(StoreError::Inconsistent { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(run) = run else { continue };
        match sandbox::is_alive(&layout.agent_sandbox(run.id)) {
            Ok(lives) => {
                agents.insert(job.id, (run.id, lives));
            }
            Err(error) => tracing::warn!("could not look at the agent of {}: {error}", run.id),
        }
    }
    Ok(agents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_lease_is_known_by_its_process() {
        assert_eq!(pid_of_owner("71-00ff"), Some(71));
        assert_eq!(pid_of_owner("engine"), None);
    }

    #[test]
    fn who_does_not_hold_the_data_directory_is_gone() {
        let holder =
            Holder::look("pid 71, `gatewright run`, since 2026-01-01T00:00:00Z".to_owned());
        let holder = Some(&holder);
        assert!(!is_gone(holder, "71-00ff"));
        assert!(is_gone(holder, "70-00ff"));
        assert!(is_gone(None, "71-00ff"));
        assert!(!is_gone(holder, "engine"), "nobody guesses");
    }
}
