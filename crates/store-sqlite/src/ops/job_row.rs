//! The row of a job, and the columns that hold its state.

use domain::{
    job::{Budget, Job, JobState, JobStateTag, Lease, Slot, Work},
    name::{AgentName, ProjectKey, StageName},
    revision::CommitSha,
};
use rusqlite::Row;

use super::rows::{Damage, Looks, TableRow, integer};
use crate::{document, error::Error, time};

macro_rules! select {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "SELECT id, pipeline, project, slot, epoch, stage, attempt, round, work, kind, commit_sha, agent, exclusive, priority, ",
            "failures, transient_failures, losses, claims, state, available_at, lease_owner, lease_token, lease_expires_at, ",
            "last_error, created_at, holds FROM jobs ",
            $($rest),+
        )
    };
}
pub(crate) use select;

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!(
        "WHERE pipeline IN (SELECT id FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))"
    ),
    of_one: select!("WHERE pipeline = ?1"),
    all: select!(""),
};

pub(crate) struct JobRow {
    id: String,
    pipeline: String,
    project: String,
    slot: String,
    epoch: u32,
    stage: String,
    attempt: u32,
    round: u32,
    work: String,
    kind: String,
    commit_sha: Option<String>,
    agent: Option<String>,
    exclusive: bool,
    priority: i32,
    budget: Budget,
    claims: i64,
    state: String,
    available_at: Option<i64>,
    lease_owner: Option<String>,
    lease_token: Option<i64>,
    lease_expires_at: Option<i64>,
    last_error: Option<String>,
    created_at: i64,
}

impl TableRow for JobRow {
    const TABLE: &'static str = "jobs";
    const PIPELINE: usize = 1;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pipeline: row.get(1)?,
            project: row.get(2)?,
            slot: row.get(3)?,
            epoch: row.get(4)?,
            stage: row.get(5)?,
            attempt: row.get(6)?,
            round: row.get(7)?,
            work: row.get(8)?,
            kind: row.get(9)?,
            commit_sha: row.get(10)?,
            agent: row.get(11)?,
            exclusive: row.get(12)?,
            priority: row.get(13)?,
            budget: Budget {
                attempts: row.get(14)?,
                transient_attempts: row.get(15)?,
                lost: row.get(16)?,
                holds: row.get(25)?,
            },
            claims: row.get(17)?,
            state: row.get(18)?,
            available_at: row.get(19)?,
            lease_owner: row.get(20)?,
            lease_token: row.get(21)?,
            lease_expires_at: row.get(22)?,
            last_error: row.get(23)?,
            created_at: row.get(24)?,
        })
    }
}

impl TryFrom<JobRow> for Job {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<Self, Error> {
        let damage = Damage { table: JobRow::TABLE, id: &row.id };
        let state = state_of(&row, &damage)?;
        let work: Work = damage.in_column("work", document::decode(&row.work))?;
        damage.unless_same("kind", &row.kind, &work.kind().to_string())?;
        let slot = Slot {
            epoch: row.epoch,
            stage: damage.in_column("stage", StageName::new(row.stage))?,
            attempt: row.attempt,
            round: row.round,
            work,
        };
        damage.unless_same("slot", &row.slot, &slot.to_string())?;
        Ok(Self {
            id: damage.in_column("id", row.id.parse())?,
            pipeline: damage.in_column("pipeline", row.pipeline.parse())?,
            project: damage.in_column("project", ProjectKey::new(row.project))?,
            slot,
            commit: row
                .commit_sha
                .map(|sha| damage.in_column("commit_sha", CommitSha::new(sha)))
                .transpose()?,
            agent: row
                .agent
                .map(|name| damage.in_column("agent", AgentName::new(name)))
                .transpose()?,
            exclusive: row.exclusive,
            priority: row.priority,
            budget: row.budget,
            claims: damage.in_column("claims", row.claims.try_into())?,
            state,
            last_error: row.last_error,
            created_at: time::from_column(row.created_at),
        })
    }
}

fn state_of(row: &JobRow, damage: &Damage<'_>) -> Result<JobState, Error> {
    let tag: JobStateTag = damage.in_column("state", row.state.parse())?;
    let lease = (&row.lease_owner, row.lease_token, row.lease_expires_at);
    match (tag, row.available_at, lease) {
        (JobStateTag::Queued, Some(at), (None, None, None)) => {
            Ok(JobState::Queued { available_at: time::from_column(at) })
        }
        (JobStateTag::Running, None, (Some(owner), Some(token), Some(at))) => {
            let token = damage.in_column("lease_token", token.try_into())?;
            Ok(JobState::Running {
                lease: Lease { owner: owner.clone(), token, expires_at: time::from_column(at) },
            })
        }
        (JobStateTag::Done, None, (None, None, None)) => Ok(JobState::Done),
        (JobStateTag::Failed, None, (None, None, None)) => Ok(JobState::Failed),
        (JobStateTag::Cancelled, None, (None, None, None)) => Ok(JobState::Cancelled),
        _ => Err(damage.of(format!("state: a job that is {tag} has no such lease or time"))),
    }
}

/// A job's state in columns.
pub(crate) struct StateColumns<'a> {
    pub(crate) state: &'static str,
    pub(crate) available_at: Option<i64>,
    pub(crate) lease_owner: Option<&'a str>,
    pub(crate) lease_token: Option<i64>,
    pub(crate) lease_expires_at: Option<i64>,
}

impl<'a> From<&'a JobState> for StateColumns<'a> {
    fn from(state: &'a JobState) -> Self {
        let (available_at, lease) = match state {
            JobState::Queued { available_at } => (Some(time::to_column(*available_at)), None),
            JobState::Running { lease } => (None, Some(lease)),
            JobState::Done | JobState::Failed | JobState::Cancelled => (None, None),
        };
        Self {
            state: JobStateTag::from(state).into(),
            available_at,
            lease_owner: lease.map(|lease| lease.owner.as_str()),
            lease_token: lease.map(|lease| integer(lease.token)),
            lease_expires_at: lease.map(|lease| time::to_column(lease.expires_at)),
        }
    }
}
