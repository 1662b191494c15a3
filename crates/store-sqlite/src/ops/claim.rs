//! Gives out jobs.
//!
//! Jobs wait in lanes: one for each project, kind of cap and agent. Caps open and close a lane as a whole, so a
//! claim reads the heads of the open lanes, takes the best of them, and looks again; it is no slower with a hundred
//! thousand jobs waiting than with ten.

use std::{cmp::Reverse, collections::BTreeMap};

use domain::{
    job::{Job, JobInput, JobKind, JobState},
    name::AgentName,
};
use jiff::Timestamp;
use ports::{Caps, Claim};
use rusqlite::{Connection, params};

use super::{
    doors::Doors,
    job_row::{JobRow, select},
    jobs, merge_leases, rows,
};
use crate::{
    error::{Doing, Error},
    time,
};

/// Hops from lane to lane along the index; reading every waiting job would be slow.
const LANES: &str = "WITH RECURSIVE lanes (lane) AS (
        SELECT min(lane) FROM jobs INDEXED BY jobs_ready WHERE state = 'queued' AND damaged IS NULL
        UNION ALL
        SELECT (SELECT min(lane) FROM jobs INDEXED BY jobs_ready WHERE state = 'queued' AND damaged IS NULL AND lane > lanes.lane)
        FROM lanes WHERE lanes.lane IS NOT NULL
    ) SELECT lane FROM lanes WHERE lane IS NOT NULL";
const RUNNING: &str = "SELECT lane, count(*) FROM jobs WHERE state = 'running'
        AND EXISTS (SELECT 1 FROM pipelines WHERE id = jobs.pipeline)
        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline)
    GROUP BY lane";
macro_rules! head {
    ($also:literal) => {
        select!(
            "INDEXED BY jobs_ready WHERE lane = ?1 AND state = 'queued' AND damaged IS NULL AND available_at <= ?2
                AND (SELECT status FROM pipelines WHERE id = jobs.pipeline) <> 'paused'
                AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = jobs.pipeline)
                AND NOT (exclusive AND EXISTS (
                    SELECT 1 FROM merge_leases AS lease
                    WHERE lease.project = jobs.project AND lease.pipeline <> jobs.pipeline AND lease.expires_at > ?2
                        AND NOT EXISTS (SELECT 1 FROM damage WHERE damage.pipeline = lease.pipeline)
                )) ",
            $also,
            " ORDER BY priority DESC, created_at, id LIMIT 1"
        )
    };
}

const HEAD: &str = head!("");
const HEAD_UNDER_WAY: &str =
    head!("AND EXISTS (SELECT 1 FROM runs WHERE job = jobs.id AND ended_at IS NULL)");

pub(crate) const STATEMENTS: &[&str] = &[LANES, RUNNING, HEAD, HEAD_UNDER_WAY];

/// Gives out due jobs, as the port says.
pub(crate) fn claim(connection: &Connection, wish: &Claim) -> Result<Vec<Job>, Error> {
    let Claim { owner, now, ttl, caps, limit, .. } = wish;
    let input = JobInput::Claim { owner: owner.clone(), ttl: *ttl };
    let mut running = Running::load(connection)?;
    let mut doors = Doors::load(connection, wish)?;
    let mut lanes = load_lanes(connection)?;
    let mut taken = Vec::new();
    while taken.len() < *limit as usize {
        for lane in &mut lanes {
            lane.look(connection, *now, lane.way(&running, caps, &doors))?;
        }
        let Some(job) = take_best(&mut lanes, &running) else { break };
        match job.decide(&input, *now) {
            Ok(next) => {
                let job = lease(connection, job, next.state)?;
                running.add(&Lane::of(&job));
                doors.pass(connection, &job, *now)?;
                taken.push(job);
            }
            Err(refusal) => {
                jobs::mark_damaged(connection, &job.id.to_string(), &refusal.to_string(), *now)?;
            }
        }
    }
    Ok(taken)
}

/// Writes the lease, and the merge lease that an exclusive job needs.
fn lease(connection: &Connection, mut job: Job, state: JobState) -> Result<Job, Error> {
    jobs::lease(connection, job.id, &state)?;
    if let JobState::Running { lease } = &state {
        job.claims = lease.token;
        if job.exclusive {
            merge_leases::take(connection, &job.project, job.pipeline, lease.expires_at)?;
        }
    }
    job.state = state;
    Ok(job)
}

/// The best of the heads: of the project with the fewest running jobs, then by priority, then the oldest.
fn take_best(lanes: &mut [WaitingLane], running: &Running) -> Option<Job> {
    let order = |lane: &WaitingLane| match &lane.head {
        Head::Job(job) => Some((
            running.of_project(&lane.lane.project),
            Reverse(job.priority),
            job.created_at,
            job.id,
        )),
        Head::Unknown | Head::Nothing => None,
    };
    let best = lanes.iter().enumerate().filter_map(|(at, lane)| Some((order(lane)?, at))).min()?.1;
    let Head::Job(job) = std::mem::replace(&mut lanes[best].head, Head::Unknown) else {
        return None;
    };
    if job.exclusive {
        // Others of the project wait for the merge lease from now on.
        lanes
            .iter_mut()
            .filter(|lane| lane.lane.project == job.project.as_str())
            .for_each(|lane| lane.head = Head::Unknown);
    }
    Some(*job)
}

/// What waits, or runs, under the same caps. Text: whether these are names is asked of the jobs in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    project: String,
    capped: bool,
    agent: Option<String>,
}

impl Lane {
    /// From the column `lane`: `ET/capped/claude`, `ET/free/`.
    fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '/');
        let project = parts.next().unwrap_or_default().to_owned();
        let capped = parts.next() == Some("capped");
        let agent = parts.next().filter(|agent| !agent.is_empty()).map(str::to_owned);
        Self { project, capped, agent }
    }

    fn of(job: &Job) -> Self {
        let capped = match job.slot.work.kind() {
            JobKind::Agent | JobKind::Gate => true,
            JobKind::Git | JobKind::Cleanup => false,
        };
        Self {
            project: job.project.to_string(),
            capped,
            agent: job.agent.as_ref().map(AgentName::to_string),
        }
    }
}

/// What may leave a lane.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Every job that is due.
    Free,
    /// Only jobs whose agent is at work already, or was: to take them up starts nothing.
    TakenUp,
    /// None.
    Shut,
}

/// A lane with what is known of its next job.
struct WaitingLane {
    text: String,
    lane: Lane,
    way: Way,
    head: Head,
}

enum Head {
    Unknown,
    Job(Box<Job>),
    /// Nothing that could be given out in this claim.
    Nothing,
}

fn load_lanes(connection: &Connection) -> Result<Vec<WaitingLane>, Error> {
    let find = || {
        let mut statement = connection.prepare_cached(LANES)?;
        let texts = statement.query_map([], |row| row.get::<_, String>(0))?;
        texts
            .map(|text| {
                let text = text?;
                let lane = Lane::parse(&text);
                Ok(WaitingLane { lane, text, way: Way::Free, head: Head::Unknown })
            })
            .collect()
    };
    let lanes: rusqlite::Result<Vec<WaitingLane>> = find();
    lanes.doing("find what is waiting")
}

impl WaitingLane {
    /// Which jobs of this lane caps, breakers and what was found unable to work let out.
    fn way(&self, running: &Running, caps: &Caps, doors: &Doors<'_>) -> Way {
        let Lane { capped, agent, .. } = &self.lane;
        if !capped {
            Way::Free
        } else if !running.has_room(&self.lane, caps) {
            Way::Shut
        } else if doors.are_open(agent.as_deref()) {
            Way::Free
        } else {
            Way::TakenUp
        }
    }

    /// Finds the next job of the lane, where that is not known. Damaged rows leave the queue on the way.
    fn look(&mut self, connection: &Connection, now: Timestamp, way: Way) -> Result<(), Error> {
        if self.way != way {
            (self.way, self.head) = (way, Head::Unknown);
        }
        let head = match way {
            Way::Free => HEAD,
            Way::TakenUp => HEAD_UNDER_WAY,
            Way::Shut => {
                self.head = Head::Nothing;
                return Ok(());
            }
        };
        while matches!(self.head, Head::Unknown) {
            let params = params![self.text, time::to_column(now)];
            match rows::find::<JobRow, Job>(connection, head, params, "find the next job") {
                Ok(job) => self.head = job.map_or(Head::Nothing, |job| Head::Job(Box::new(job))),
                Err(Error::Damaged { id, what, .. }) => {
                    jobs::mark_damaged(connection, &id, &what, now)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// How many jobs run, by lane.
struct Running(BTreeMap<Lane, u32>);

impl Running {
    fn load(connection: &Connection) -> Result<Self, Error> {
        let find = || {
            let mut statement = connection.prepare_cached(RUNNING)?;
            let lanes = statement
                .query_map([], |row| Ok((Lane::parse(&row.get::<_, String>(0)?), row.get(1)?)))?;
            lanes.collect()
        };
        let lanes: rusqlite::Result<BTreeMap<Lane, u32>> = find();
        lanes.doing("count what is running").map(Self)
    }

    fn add(&mut self, lane: &Lane) {
        *self.0.entry(lane.clone()).or_default() += 1;
    }

    fn count(&self, meant: impl Fn(&Lane) -> bool) -> u32 {
        self.0.iter().filter(|(lane, _)| meant(lane)).map(|(_, count)| count).sum()
    }

    fn of_project(&self, project: &str) -> u32 {
        self.count(|lane| lane.project == project)
    }

    /// Whether the caps let another job of this lane run.
    fn has_room(&self, lane: &Lane, caps: &Caps) -> bool {
        let Caps { total, per_project, per_agent } = caps;
        let agent = lane.agent.as_deref();
        let agent_cap =
            per_agent.iter().find(|(name, _)| Some(name.as_str()) == agent).map(|(_, cap)| *cap);
        self.count(|other| other.capped) < *total
            && per_project.is_none_or(|cap| {
                self.count(|other| other.capped && other.project == lane.project) < cap
            })
            && agent_cap.is_none_or(|cap| {
                self.count(|other| other.capped && other.agent == lane.agent) < cap
            })
    }
}
