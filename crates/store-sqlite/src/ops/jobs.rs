//! Jobs: how they are written and read. Which one is given out is `claim`'s.

use domain::{
    id::{JobId, PipelineId},
    job::{Job, JobNext, JobState, JobStateTag},
    pipeline::Pipeline,
};
use jiff::Timestamp;
use ports::{JobFilter, JobUpdate};
use rusqlite::{Connection, named_params, params};
use strum::VariantArray as _;

use super::{
    damage,
    job_row::{JobRow, StateColumns},
    merge_leases,
    rows::{self, integer},
};
use crate::{
    document,
    error::{Doing, Error},
    time,
};

const ENQUEUE: &str = "INSERT INTO jobs (
        id, pipeline, project, slot, epoch, stage, attempt, round, work, kind, commit_sha, agent, exclusive, priority,
        failures, transient_failures, losses, claims, state, available_at, lease_owner, lease_token, lease_expires_at,
        last_error, created_at, holds
    ) VALUES (
        :id, :pipeline, :project, :slot, :epoch, :stage, :attempt, :round, :work, :kind, :commit_sha, :agent, :exclusive, :priority,
        :failures, :transient_failures, :losses, :claims, :state, :available_at, :lease_owner, :lease_token, :lease_expires_at,
        :last_error, :created_at, :holds
    ) ON CONFLICT (pipeline, slot) DO NOTHING";
const IS_HELD: &str =
    "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND state = 'running' AND lease_token = ?2
        AND (?3 IS NULL OR lease_expires_at <= ?3))";
const IS_PROBING: &str = "SELECT EXISTS (
        SELECT 1 FROM jobs WHERE id = ?1 AND damaged IS NULL
            AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline) AND (
            (state = 'running' AND lease_token = ?2)
            OR (state = 'queued' AND (SELECT status FROM pipelines WHERE id = jobs.pipeline) <> 'paused'
                AND EXISTS (SELECT 1 FROM runs WHERE job = jobs.id AND ended_at IS NULL))
        )
    )";
const SETTLE: &str = "UPDATE jobs SET state = :state, available_at = :available_at,
        lease_owner = :lease_owner, lease_token = :lease_token, lease_expires_at = :lease_expires_at,
        failures = :failures, transient_failures = :transient_failures, losses = :losses, holds = :holds,
        last_error = :last_error
    WHERE id = :id AND state = 'running' AND lease_token = :token
        AND (:expired_by IS NULL OR lease_expires_at <= :expired_by)";
const LEASE: &str =
    "UPDATE jobs SET state = :state, available_at = :available_at, claims = :lease_token,
        lease_owner = :lease_owner, lease_token = :lease_token, lease_expires_at = :lease_expires_at
    WHERE id = :id";
const EXTEND: &str = "UPDATE jobs SET lease_expires_at = ?3 WHERE id = ?1 AND state = 'running' AND lease_token = ?2";
const CANCEL: &str = "UPDATE jobs SET state = 'cancelled', available_at = NULL,
        lease_owner = NULL, lease_token = NULL, lease_expires_at = NULL
    WHERE pipeline = ?1 AND epoch < ?2 AND kind <> 'cleanup' AND +state IN ('queued', 'running')";
const MARK_DAMAGED: &str = "UPDATE jobs SET damaged = ?2 WHERE id = ?1";
const LIST: &str = super::job_row::select!(
    "WHERE state IN (SELECT value FROM json_each(?1)) ORDER BY created_at, id"
);
const LIST_OF_PIPELINE: &str = super::job_row::select!(
    "WHERE pipeline = ?2 AND +state IN (SELECT value FROM json_each(?1)) ORDER BY created_at, id"
);

pub(crate) const STATEMENTS: &[&str] = &[
    ENQUEUE,
    IS_HELD,
    IS_PROBING,
    SETTLE,
    LEASE,
    EXTEND,
    CANCEL,
    MARK_DAMAGED,
    LIST,
    LIST_OF_PIPELINE,
];

/// Queues a job. A slot that has one already keeps it.
pub(crate) fn enqueue(connection: &Connection, job: &Job) -> Result<(), Error> {
    let Job {
        id,
        pipeline,
        project,
        slot,
        commit,
        agent,
        exclusive,
        priority,
        budget,
        claims,
        state,
        last_error,
        created_at,
    } = job;
    let columns = StateColumns::from(state);
    let params = named_params! {
        ":id": id.to_string(),
        ":pipeline": pipeline.to_string(),
        ":project": project.as_str(),
        ":slot": slot.to_string(),
        ":epoch": slot.epoch,
        ":stage": slot.stage.as_str(),
        ":attempt": slot.attempt,
        ":round": slot.round,
        ":work": document::encode(&slot.work)?,
        ":kind": slot.work.kind().to_string(),
        ":commit_sha": commit.as_ref().map(domain::revision::CommitSha::as_str),
        ":agent": agent.as_ref().map(domain::name::AgentName::as_str),
        ":exclusive": exclusive,
        ":priority": priority,
        ":failures": budget.attempts,
        ":transient_failures": budget.transient_attempts,
        ":losses": budget.lost,
        ":holds": budget.holds,
        ":claims": integer(*claims),
        ":state": columns.state,
        ":available_at": columns.available_at,
        ":lease_owner": columns.lease_owner,
        ":lease_token": columns.lease_token,
        ":lease_expires_at": columns.lease_expires_at,
        ":last_error": last_error,
        ":created_at": time::to_column(*created_at),
    };
    rows::write(connection, ENQUEUE, params, "queue a job").map(drop)
}

/// Whether an update may be written: its token is the current one of a running job, and its lease is over where that
/// is what it is about.
pub(crate) fn is_held(
    connection: &Connection,
    job: JobId,
    token: u64,
    expired_by: Option<Timestamp>,
) -> Result<bool, Error> {
    let params = params![job.to_string(), integer(token), expired_by.map(time::to_column)];
    let find = || connection.prepare_cached(IS_HELD)?.query_row(params, |row| row.get(0));
    find().doing("look at the lease of a job")
}

/// Whether a breaker's probe is still under way: its job runs under that token, or waits to be taken up, its agent being
/// at work already. One of a parked pipeline is not: nobody takes it back, and others must not wait for it.
pub(crate) fn is_probing(connection: &Connection, job: JobId, token: u64) -> Result<bool, Error> {
    let params = params![job.to_string(), integer(token)];
    let find = || connection.prepare_cached(IS_PROBING)?.query_row(params, |row| row.get(0));
    find().doing("look whether a job is under way")
}

/// Writes what became of a job, if the reporter still holds it. Says whether it does.
pub(crate) fn settle(connection: &Connection, update: &JobUpdate) -> Result<bool, Error> {
    let JobUpdate { job, token, next: JobNext { state, budget }, last_error, expired_by } = update;
    let columns = StateColumns::from(state);
    let params = named_params! {
        ":id": job.to_string(),
        ":token": integer(*token),
        ":expired_by": expired_by.map(time::to_column),
        ":state": columns.state,
        ":available_at": columns.available_at,
        ":lease_owner": columns.lease_owner,
        ":lease_token": columns.lease_token,
        ":lease_expires_at": columns.lease_expires_at,
        ":failures": budget.attempts,
        ":transient_failures": budget.transient_attempts,
        ":losses": budget.lost,
        ":holds": budget.holds,
        ":last_error": last_error,
    };
    Ok(rows::write(connection, SETTLE, params, "settle a job")? == 1)
}

/// Writes the lease of a job that was queued. Its token is the job's newest claim.
pub(crate) fn lease(connection: &Connection, job: JobId, running: &JobState) -> Result<(), Error> {
    let columns = StateColumns::from(running);
    let params = named_params! {
        ":id": job.to_string(),
        ":state": columns.state,
        ":available_at": columns.available_at,
        ":lease_owner": columns.lease_owner,
        ":lease_token": columns.lease_token,
        ":lease_expires_at": columns.lease_expires_at,
    };
    rows::write(connection, LEASE, params, "lease a job").map(drop)
}

/// Extends leases, and the merge leases of their pipelines. Returns the jobs that are somebody else's by now.
pub(crate) fn heartbeat(
    connection: &Connection,
    leases: &[(JobId, u64)],
    until: Timestamp,
) -> Result<Vec<JobId>, Error> {
    let mut lost = Vec::new();
    for (job, token) in leases {
        let params = params![job.to_string(), integer(*token), time::to_column(until)];
        if rows::write(connection, EXTEND, params, "extend a lease")? == 1 {
            merge_leases::extend_with(connection, *job, until)?;
        } else {
            lost.push(*job);
        }
    }
    Ok(lost)
}

/// Cancels what a pipeline has left behind. Clean-ups go on.
pub(crate) fn cancel_older(connection: &Connection, pipeline: &Pipeline) -> Result<(), Error> {
    rows::write(
        connection,
        CANCEL,
        params![pipeline.id.to_string(), pipeline.epoch],
        "cancel the jobs of a pipeline",
    )
    .map(drop)
}

/// Takes a row that cannot be read out of the queue, parks its pipeline, and says so once.
pub(crate) fn mark_damaged(
    connection: &Connection,
    id: &str,
    what: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tracing::error!(table = "jobs", row.id = id, "took a damaged job out of the queue: {what}");
    rows::write(connection, MARK_DAMAGED, [id, what], "mark a damaged job")?;
    damage::park_job(connection, id, what, now)
}

pub(crate) fn list(connection: &Connection, filter: &JobFilter) -> Result<Vec<Job>, Error> {
    let JobFilter { pipeline, states } = filter;
    let states = rows::json_list(if states.is_empty() { JobStateTag::VARIANTS } else { states })?;
    match pipeline {
        Some(id) => list_of(connection, *id, &states),
        None => rows::list::<JobRow, _>(connection, LIST, [states], "list the jobs"),
    }
}

fn list_of(connection: &Connection, pipeline: PipelineId, states: &str) -> Result<Vec<Job>, Error> {
    rows::list::<JobRow, _>(
        connection,
        LIST_OF_PIPELINE,
        params![states, pipeline.to_string()],
        "list the jobs of a pipeline",
    )
}
