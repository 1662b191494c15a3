//! Writes a step: all of it or nothing.

use ports::{Applied, Step};
use rusqlite::Connection;

use super::{
    breakers, decisions,
    events::{self, Cause},
    inputs, jobs, letters, merge_leases, pipelines, runs, timers, verdicts,
};
use crate::error::Error;

/// Writes a step, unless its input was consumed, its job was lost or its pipeline has moved on; asked in this order.
pub(crate) fn apply(connection: &Connection, step: &Step) -> Result<Applied, Error> {
    let Step {
        pipeline,
        input,
        actor,
        at,
        events: kinds,
        cancel_jobs,
        jobs: new_jobs,
        opened,
        closed,
        timers: timer_changes,
        release_merge_lease,
        verdicts: new_verdicts,
        runs: changed_runs,
        job,
        letters: new_letters,
        letter,
        breaker,
    } = step;
    if inputs::is_consumed(connection, input)? {
        return Ok(Applied::Duplicate);
    }
    if let Some(update) = job
        && !jobs::is_held(connection, update.job, update.token, update.expired_by)?
    {
        return Ok(Applied::Fenced);
    }
    if let Some(letter) = letter
        && !letters::is_seen(connection, letter)?
    {
        return Ok(Applied::Fenced);
    }
    if let Some(breaker) = breaker
        && !breakers::is_next(connection, breaker)?
    {
        return Ok(Applied::Stale);
    }
    if !pipelines::save(connection, pipeline)? {
        return Ok(Applied::Stale);
    }
    inputs::consume(connection, input, pipeline.id, *at)?;
    if let Some(update) = job {
        jobs::settle(connection, update)?;
    }
    if let Some(breaker) = breaker {
        breakers::save(connection, breaker)?;
    }
    if *cancel_jobs {
        jobs::cancel_older(connection, pipeline)?;
    }
    for job in new_jobs {
        jobs::enqueue(connection, job)?;
    }
    for decision in opened {
        decisions::open(connection, decision)?;
    }
    for (id, state) in closed {
        decisions::close(connection, *id, state)?;
    }
    for change in timer_changes {
        timers::change(connection, pipeline.id, *change)?;
    }
    if *release_merge_lease {
        merge_leases::release(connection, &pipeline.project, pipeline.id)?;
    }
    for verdict in new_verdicts {
        verdicts::keep(connection, pipeline.id, verdict)?;
    }
    for run in changed_runs {
        runs::save(connection, run)?;
    }
    let cause = Cause { pipeline: pipeline.id, version: pipeline.version, at: *at, actor };
    let told: Vec<i64> = kinds
        .iter()
        .map(|kind| events::append(connection, &cause, kind))
        .collect::<Result<_, Error>>()?;
    if let Some(letter) = letter {
        letters::settle(connection, letter)?;
    }
    for letter in new_letters {
        letters::post(connection, letter, pipeline, &told, *at)?;
    }
    Ok(Applied::Done { seq: events::last_seq(connection)? })
}
