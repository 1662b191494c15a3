//! The course of a command's gate: what must stay, the run, the ruling, the tidying up.

use std::time::Duration;

use ports::{GateQuestion, PathChange};

use super::{
    execution, keep,
    log::{self, Log},
    outcome::{self, Disk},
    places::Places,
};
use crate::{judge::Options, limits::ROOM_BYTES_MIN, obstacle::Obstacle, ruling::Ruling};

/// A command to run for a question.
pub(crate) struct Task<'a> {
    pub(crate) options: &'a Options,
    pub(crate) question: &'a GateQuestion,
    /// A shell command line.
    pub(crate) run: &'a str,
    pub(crate) time_limit: Duration,
}

/// Judges the command; `changes` since the base must delete nothing that matches a glob of `keep`.
pub(crate) async fn judge(
    task: &Task<'_>,
    changes: &[PathChange],
    keep: &[String],
) -> Result<Ruling, Obstacle> {
    if let Some(ruling) = keep::judge(changes, keep)? {
        return Ok(ruling);
    }
    let places = Places::new(&task.question.scratch);
    let ruling = run(task, &places).await;
    places.remove(task).await;
    ruling
}

async fn run(task: &Task<'_>, places: &Places) -> Result<Ruling, Obstacle> {
    let record = execution::run(task, places).await?;
    let evidence = &task.question.evidence;
    let log = log::collect(task.options.sandbox.as_ref(), &places.sandbox, evidence).await?;
    let disk = ask_disk(task, places, &log).await;
    let ruling = outcome::rule(task, &record, log, disk)?;
    Ok(Ruling { evidence: Some(evidence.clone()), ..ruling })
}

/// Whether the disk is full, where the command's last words are of one that is. The words alone prove nothing: they are
/// the branch's, and a project may well test what it does on a full disk. What the command wrote is still there.
async fn ask_disk(task: &Task<'_>, places: &Places, log: &Log) -> Disk {
    if !log.ends_with_a_full_disk() {
        return Disk::NotSpokenOf;
    }
    match task.options.machine.room(&places.sandbox).await {
        Ok(room) if room.disk_bytes < ROOM_BYTES_MIN => Disk::Full,
        Ok(_) => Disk::OnlySpokenOf,
        Err(_) => Disk::NotKnown,
    }
}
