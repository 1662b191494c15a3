//! The course of a command's gate: what must stay, the run, the ruling, the tidying up.

use std::time::Duration;

use ports::{GateQuestion, PathChange};

use super::{execution, keep, log, outcome, places::Places};
use crate::{judge::Options, obstacle::Obstacle, ruling::Ruling};

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
    let ruling = outcome::rule(task, &record, log)?;
    Ok(Ruling { evidence: Some(evidence.clone()), ..ruling })
}
