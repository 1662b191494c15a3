//! The keys of inputs that were consumed.

use domain::id::PipelineId;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows;
use crate::{
    error::{Doing, Error},
    time,
};

const IS_CONSUMED: &str = "SELECT EXISTS (SELECT 1 FROM inputs WHERE key = ?1)";
const CONSUME: &str = "INSERT INTO inputs (key, pipeline, consumed_at) VALUES (?1, ?2, ?3)";

pub(crate) const STATEMENTS: &[&str] = &[IS_CONSUMED, CONSUME];

pub(crate) fn is_consumed(connection: &Connection, key: &str) -> Result<bool, Error> {
    let find = || connection.prepare_cached(IS_CONSUMED)?.query_row([key], |row| row.get(0));
    find().doing("look for the input")
}

pub(crate) fn consume(
    connection: &Connection,
    key: &str,
    pipeline: PipelineId,
    at: Timestamp,
) -> Result<(), Error> {
    let params = params![key, pipeline.to_string(), time::to_column(at)];
    rows::write(connection, CONSUME, params, "mark the input as consumed").map(drop)
}
