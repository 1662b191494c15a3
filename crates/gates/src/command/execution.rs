//! Runs the command once, whatever was killed in between.

use domain::limits::AGENT_STOP_GRACE;
use ports::{ExitRecord, Mount, SandboxEnd, SandboxLimits, SandboxSpec, SandboxStatus, StopReason};

use super::{Task, places::Places};
use crate::{limits::LOG_BYTES_MAX, obstacle::Obstacle};

/// How the command ended. A run of an earlier try is waited for, or its record taken; otherwise there is a new one.
pub(crate) async fn run(task: &Task<'_>, places: &Places) -> Result<ExitRecord, Obstacle> {
    let sandbox = &task.options.sandbox;
    match sandbox.status(&places.sandbox).await? {
        SandboxStatus::Ended(record) if ended_by_itself(&record) && places.are_whole().await => {
            return Ok(record);
        }
        SandboxStatus::Running => {}
        SandboxStatus::Absent | SandboxStatus::Vanished | SandboxStatus::Ended(_) => {
            places.make(task).await?;
            sandbox.launch(&places.sandbox, &spec(task, places)).await?;
        }
    }
    match sandbox.wait(&places.sandbox).await? {
        SandboxStatus::Ended(record) => Ok(record),
        SandboxStatus::Vanished | SandboxStatus::Absent | SandboxStatus::Running => {
            Err(Obstacle::Vanished { command: task.run.to_owned() })
        }
    }
}

/// Whether a record says something about the commit, so that a second run would end the same way.
fn ended_by_itself(record: &ExitRecord) -> bool {
    match record.end {
        SandboxEnd::Exited { .. }
        | SandboxEnd::Signaled { .. }
        | SandboxEnd::Stopped { reason: StopReason::TimeLimit } => true,
        SandboxEnd::Stopped { reason: StopReason::Asked | StopReason::Silence }
        | SandboxEnd::LaunchFailed { .. } => false,
    }
}

fn spec(task: &Task<'_>, places: &Places) -> SandboxSpec {
    let Task { options, question, run, time_limit } = task;
    let mut env = options.env.clone();
    env.insert("PATH".to_owned(), options.path.clone());
    env.insert("HOME".to_owned(), places.home.to_string());
    let same_place =
        |place: camino::Utf8PathBuf, writable| Mount { from: place.clone(), to: place, writable };
    let mut mounts: Vec<Mount> =
        options.mounts.iter().cloned().map(|mount| Mount { writable: false, ..mount }).collect();
    mounts.push(same_place(options.git.objects_dir(&question.project), false));
    mounts.push(same_place(places.checkout.clone(), true));
    mounts.push(same_place(places.home.clone(), true));
    SandboxSpec {
        // At most 62 characters: the longest gate name leaves room for eight digits.
        name: format!("gate-{}-{}", question.gate.name, &question.commit.as_str()[..8]),
        argv: ["/bin/sh", "-c", run].map(ToOwned::to_owned).to_vec(),
        env,
        cwd: places.checkout.clone(),
        stdin: None,
        mounts,
        network: options.network,
        limits: SandboxLimits {
            time: *time_limit,
            silence: None,
            log_bytes: LOG_BYTES_MAX,
            stop_grace: AGENT_STOP_GRACE,
        },
    }
}
