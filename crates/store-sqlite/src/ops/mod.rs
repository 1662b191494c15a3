//! Everything that touches a row: plain functions on a connection, one file per group of tables.
//!
//! A function that writes is called inside a transaction. None of them decides anything: [`apply`] writes a step
//! that was decided, [`claim`] gives out what may be given out.

pub(crate) mod apply;
pub(crate) mod claim;
pub(crate) mod damage;
mod doors;

pub(crate) mod breakers;
pub(crate) mod decisions;
pub(crate) mod definitions;
pub(crate) mod due;
pub(crate) mod events;
pub(crate) mod inputs;
pub(crate) mod jobs;
pub(crate) mod letters;
pub(crate) mod merge_leases;
pub(crate) mod pipelines;
pub(crate) mod projects;
pub(crate) mod runs;
pub(crate) mod stranded;
pub(crate) mod timers;
pub(crate) mod verdicts;

mod job_row;
mod rows;

pub use rows::DAMAGE_TARGET;
use rusqlite::Connection;

use crate::error::{Doing, Error};

/// Every statement there is.
pub(crate) const STATEMENTS: &[&[&str]] = &[
    breakers::STATEMENTS,
    claim::STATEMENTS,
    damage::STATEMENTS,
    decisions::STATEMENTS,
    definitions::STATEMENTS,
    due::STATEMENTS,
    events::STATEMENTS,
    inputs::STATEMENTS,
    jobs::STATEMENTS,
    letters::STATEMENTS,
    merge_leases::STATEMENTS,
    pipelines::STATEMENTS,
    projects::STATEMENTS,
    runs::STATEMENTS,
    stranded::STATEMENTS,
    timers::STATEMENTS,
    verdicts::STATEMENTS,
];

/// Compiles every statement against the tables as they are: what does not fit fails the start, not a night.
/// They stay compiled, so that the first caller does not wait for it.
pub(crate) fn prepare(connection: &Connection) -> Result<(), Error> {
    for statement in STATEMENTS.iter().copied().flatten() {
        connection.prepare_cached(statement).map(drop).doing("prepare a statement")?;
    }
    Ok(())
}
