//! When something is due at all.

use std::collections::BTreeMap;

use domain::{
    breaker::{BreakerKey, BreakerState},
    name::AgentName,
};
use jiff::Timestamp;
use ports::NextDue;
use rusqlite::{Connection, Params};

use super::{breakers, rows};
use crate::{
    error::{Doing, Error},
    time,
};

const TIMER: &str = "SELECT at FROM timers INDEXED BY timers_due
    WHERE EXISTS (SELECT 1 FROM pipelines WHERE id = timers.pipeline)
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = timers.pipeline)
    ORDER BY at LIMIT 1";
const JOB: &str = "SELECT available_at FROM jobs INDEXED BY jobs_due
    WHERE state = 'queued' AND damaged IS NULL AND (SELECT status FROM pipelines WHERE id = jobs.pipeline) <> 'paused'
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline)
        AND (agent IS NULL OR agent NOT IN (SELECT value FROM json_each(?1))
            OR EXISTS (SELECT 1 FROM runs WHERE job = jobs.id AND ended_at IS NULL))
    ORDER BY available_at LIMIT 1";
const JOB_OF_AGENT: &str = "SELECT available_at FROM jobs INDEXED BY jobs_due
    WHERE state = 'queued' AND damaged IS NULL AND (SELECT status FROM pipelines WHERE id = jobs.pipeline) <> 'paused'
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline)
        AND agent = ?1
    ORDER BY available_at LIMIT 1";

const LEASE: &str = "SELECT min(lease_expires_at) FROM jobs INDEXED BY jobs_by_state
    WHERE state = 'running' AND damaged IS NULL
        AND EXISTS (SELECT 1 FROM pipelines WHERE id = jobs.pipeline)
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline)";

pub(crate) const STATEMENTS: &[&str] = &[TIMER, JOB, JOB_OF_AGENT, LEASE];

/// What is due next. What no worker can be given does not count.
pub(crate) fn next(
    connection: &Connection,
    guards: &BTreeMap<AgentName, BreakerKey>,
) -> Result<NextDue, Error> {
    let behind = behind_open_breakers(connection, guards)?;
    let agents: Vec<&AgentName> = behind.keys().copied().collect();
    let mut job = first(connection, JOB, [rows::json_list(&agents)?])?;
    for (agent, until) in behind {
        // Without an end a person has to come first.
        let Some(until) = until else { continue };
        if let Some(available_at) = first(connection, JOB_OF_AGENT, [agent.as_str()])? {
            let held = available_at.max(until);
            job = Some(job.map_or(held, |other| other.min(held)));
        }
    }
    let (timer, lease) = (first(connection, TIMER, [])?, first(connection, LEASE, [])?);
    Ok(NextDue { job, timer, lease })
}

/// Agents whose breaker is open, and until when. A probe under way will be heard of: what waits for it is due.
fn behind_open_breakers<'a>(
    connection: &Connection,
    guards: &'a BTreeMap<AgentName, BreakerKey>,
) -> Result<BTreeMap<&'a AgentName, Option<Timestamp>>, Error> {
    let open: BTreeMap<BreakerKey, Option<Timestamp>> = breakers::list_holding(connection)?
        .into_iter()
        .filter_map(|breaker| match breaker.state {
            BreakerState::Open { hold } => Some((breaker.key, hold.until)),
            BreakerState::Closed { .. } | BreakerState::HalfOpen { .. } => None,
        })
        .collect();
    let until = |(agent, key)| Some((agent, *open.get(key)?));
    Ok(guards.iter().filter_map(until).collect())
}

fn first(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Option<Timestamp>, Error> {
    let find = || {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(|row| row.get::<_, Option<i64>>(0)).transpose()
    };
    let found = find().doing("find what is due next")?;
    Ok(found.flatten().map(time::from_column))
}
