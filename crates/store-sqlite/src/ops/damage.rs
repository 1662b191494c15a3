//! Rows that cannot be: finding them, and parking the pipelines that they belong to.
//!
//! A pipeline is parked by a row in `damage`: no claim gives its jobs out, no timer of it fires, and it counts for no
//! cap. Nothing of it is changed, so that it goes on where it was as soon as somebody has mended the row.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    decision::Decision,
    definition::DefinitionHash,
    id::PipelineId,
    job::{Job, JobState},
    name::ProjectKey,
    outbox::Letter,
    pipeline::{Event, Pipeline},
    run::Run,
    verdict::Verdict,
};
use jiff::{SignedDuration, Timestamp};
use ports::{DamagedRow, DueTimer};
use rusqlite::{Connection, params};

use super::{
    decisions, definitions, events, job_row, letters, pipelines, projects,
    rows::{self, Looks, TableRow},
    runs, timers, verdicts,
};
use crate::{
    error::{Doing, Error},
    time,
};

/// No time that is kept lies further ahead than this: what does is nonsense, and would be waited for in silence.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 365 * 10);

const LIST: &str = "SELECT source, row, pipeline, what FROM damage ORDER BY source, row, pipeline";
const ADD: &str =
    "INSERT INTO damage (source, row, pipeline, what, found_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (source, row, pipeline) DO UPDATE SET what = excluded.what";
const ADD_JOB: &str = "INSERT INTO damage (source, row, pipeline, what, found_at)
    SELECT 'jobs', id, pipeline, ?2, ?3 FROM jobs WHERE id = ?1
    ON CONFLICT (source, row, pipeline) DO UPDATE SET what = excluded.what";
const REMOVE: &str = "DELETE FROM damage WHERE source = ?1 AND row = ?2 AND pipeline = ?3";
const TAKE_UP: &str = "UPDATE jobs SET damaged = NULL
    WHERE damaged IS NOT NULL AND id NOT IN (SELECT row FROM damage WHERE source = 'jobs')";

pub(crate) const STATEMENTS: &[&str] = &[ADD, ADD_JOB, REMOVE];

/// Which name rows of other tables that must be there, and agree with them.
const BELONGS: &str = "SELECT 'pipelines', id, id, 'project: there is no such project' FROM pipelines
        WHERE NOT EXISTS (SELECT 1 FROM projects WHERE key = pipelines.project)
    UNION ALL SELECT 'jobs', jobs.id, jobs.pipeline, 'pipeline: there is none of that id in that project' FROM jobs
        LEFT JOIN pipelines ON pipelines.id = jobs.pipeline
        WHERE jobs.state NOT IN ('done', 'failed', 'cancelled')
            AND (pipelines.id IS NULL OR pipelines.project <> jobs.project)
    UNION ALL SELECT 'events', id, id, 'number: no event can follow the last one' FROM pipelines
        WHERE status NOT IN ('succeeded', 'failed', 'cancelled')
            AND (SELECT max(number) FROM events WHERE events.pipeline = pipelines.id) > 1000000000000000
    UNION ALL SELECT 'runs', runs.id, jobs.pipeline, 'pipeline: contradicts its job' FROM runs
        JOIN jobs ON jobs.id = runs.job WHERE runs.ended_at IS NULL AND runs.pipeline <> jobs.pipeline
    UNION ALL SELECT 'timers', timer, pipeline, 'pipeline: there is none of that id' FROM timers
        WHERE NOT EXISTS (SELECT 1 FROM pipelines WHERE id = timers.pipeline)
    UNION ALL SELECT 'merge_leases', project, pipeline, 'pipeline: there is none of that id in that project' FROM merge_leases
        WHERE NOT EXISTS (SELECT 1 FROM pipelines WHERE id = merge_leases.pipeline AND pipelines.project = merge_leases.project)
    UNION ALL SELECT 'merge_leases', project, pipeline, 'expires_at: no lease lasts that long' FROM merge_leases
        WHERE expires_at > ?1";
const DEFINITIONS: &str =
    "SELECT id, definition FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled')";
const PROJECTS: &str =
    "SELECT id, project FROM pipelines WHERE status NOT IN ('succeeded', 'failed', 'cancelled')";

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// At everything that the pipelines that have not ended go by. Not at
    /// their events and letters, which nobody decides by.
    Unfinished,
    /// At all rows of one pipeline.
    One(PipelineId),
    /// At every row.
    All,
}

/// The rows that cannot be, by table and row.
pub(crate) fn find(
    connection: &Connection,
    scope: Scope,
    now: Timestamp,
) -> Result<Vec<DamagedRow>, Error> {
    let look = Look { connection, scope, now };
    let mut found = look.at::<pipelines::PipelineRow, Pipeline>(&pipelines::LOOKS, |it| {
        look.time("created_at", it.created_at)
    })?;
    found.extend(look.at::<job_row::JobRow, Job>(&job_row::LOOKS, |it| look.job(it))?);
    found.extend(
        look.at::<timers::TimerRow, DueTimer>(&timers::LOOKS, |it| look.time("at", it.at))?,
    );
    found.extend(look.at::<decisions::DecisionRow, Decision>(&decisions::LOOKS, |it| {
        look.time("opened_at", it.opened_at)
    })?);
    found.extend(
        look.at::<runs::RunRow, Run>(&runs::LOOKS, |it| look.time("launched_at", it.launched_at))?,
    );
    found.extend(look.at::<verdicts::VerdictRow, Verdict>(&verdicts::LOOKS, |_| Ok(()))?);
    if scope != Scope::Unfinished {
        found.extend(
            look.at::<events::EventRow, Event>(&events::LOOKS, |it| look.time("at", it.at))?,
        );
        found.extend(look.at::<letters::LetterRow, Letter>(&letters::LOOKS, |_| Ok(()))?);
    }
    found.extend(look.at_shared("definitions", DEFINITIONS, problem_of_definition)?);
    found.extend(look.at_shared("projects", PROJECTS, problem_of_project)?);
    found.extend(look.at_what_belongs_together()?);
    let mut seen = BTreeSet::new();
    // What is said first of a row says the most.
    found.retain(|it| seen.insert((it.table.clone(), it.row.clone(), it.pipeline.clone())));
    found.sort_by(|a, b| (&a.table, &a.row, &a.pipeline).cmp(&(&b.table, &b.row, &b.pipeline)));
    Ok(found)
}

struct Look<'a> {
    connection: &'a Connection,
    scope: Scope,
    now: Timestamp,
}

impl Look<'_> {
    fn at<R, T>(
        &self,
        looks: &Looks,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Vec<DamagedRow>, Error>
    where
        R: TableRow,
        T: TryFrom<R, Error = Error>,
    {
        match self.scope {
            Scope::Unfinished => {
                rows::damaged::<R, T>(self.connection, looks.unfinished, [], check)
            }
            Scope::One(id) => {
                rows::damaged::<R, T>(self.connection, looks.of_one, [id.to_string()], check)
            }
            Scope::All => rows::damaged::<R, T>(self.connection, looks.all, [], check),
        }
    }

    fn time(&self, column: &str, time: Timestamp) -> Result<(), String> {
        let latest = self.now.saturating_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
        if time < Timestamp::UNIX_EPOCH || time > latest {
            Err(format!("{column}: {time} cannot be"))
        } else {
            Ok(())
        }
    }

    fn job(&self, job: &Job) -> Result<(), String> {
        self.time("created_at", job.created_at)?;
        match &job.state {
            JobState::Queued { available_at } => self.time("available_at", *available_at),
            JobState::Running { lease } if lease.token != job.claims => {
                Err("lease_token: it is not that of the last claim".to_owned())
            }
            JobState::Running { .. } | JobState::Done | JobState::Failed | JobState::Cancelled => {
                Ok(())
            }
        }
    }

    /// What several pipelines go by: each is read once.
    fn at_shared(
        &self,
        table: &str,
        sql: &str,
        problem: impl Fn(&Connection, &str) -> Result<Option<String>, Error>,
    ) -> Result<Vec<DamagedRow>, Error> {
        let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut found = Vec::new();
        for (pipeline, row) in pairs(self.connection, sql)? {
            if matches!(self.scope, Scope::One(id) if id.to_string() != pipeline) {
                continue;
            }
            if !known.contains_key(&row) {
                known.insert(row.clone(), problem(self.connection, &row)?);
            }
            let what = known.get(&row).cloned().flatten();
            found.extend(what.map(|what| DamagedRow {
                table: table.to_owned(),
                row,
                pipeline,
                what,
            }));
        }
        Ok(found)
    }

    fn at_what_belongs_together(&self) -> Result<Vec<DamagedRow>, Error> {
        let latest = self.now.saturating_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
        let mut found = list_rows(self.connection, BELONGS, [time::to_column(latest)])?;
        if let Scope::One(id) = self.scope {
            let id = id.to_string();
            found.retain(|it| it.pipeline == id);
        }
        Ok(found)
    }
}

fn problem_of_definition(connection: &Connection, hash: &str) -> Result<Option<String>, Error> {
    problem_of(definitions::find(connection, &DefinitionHash(hash.to_owned())))
}

fn problem_of_project(connection: &Connection, key: &str) -> Result<Option<String>, Error> {
    match ProjectKey::new(key) {
        Ok(key) => problem_of(projects::find(connection, &key)),
        Err(error) => Ok(Some(error.to_string())),
    }
}

fn problem_of<T>(found: Result<Option<T>, Error>) -> Result<Option<String>, Error> {
    match found {
        Ok(Some(_)) => Ok(None),
        Ok(None) => Ok(Some("it is not there".to_owned())),
        Err(Error::Damaged { what, .. }) => Ok(Some(what)),
        Err(error) => Err(error),
    }
}

/// Parks every unfinished pipeline that has a row that cannot be, and takes up again those whose rows were mended;
/// mended letters as well.
/// Returns the damage that there is.
pub(crate) fn park(connection: &Connection, now: Timestamp) -> Result<Vec<DamagedRow>, Error> {
    let found = find(connection, Scope::Unfinished, now)?;
    let known = list_rows(connection, LIST, [])?;
    for row in known.iter().filter(|row| !found.contains(row)) {
        let params = params![row.table, row.row, row.pipeline];
        rows::write(connection, REMOVE, params, "take a pipeline up again")?;
    }
    for row in found.iter().filter(|row| !known.contains(row)) {
        let params = params![row.table, row.row, row.pipeline, row.what, time::to_column(now)];
        rows::write(connection, ADD, params, "park a damaged pipeline")?;
    }
    connection.execute(TAKE_UP, []).doing("take mended jobs up again")?;
    letters::take_up(connection)?;
    Ok(found)
}

/// Parks the pipeline of a job that cannot be given out.
pub(crate) fn park_job(
    connection: &Connection,
    id: &str,
    what: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let params = params![id, what, time::to_column(now)];
    rows::write(connection, ADD_JOB, params, "park a damaged pipeline").map(drop)
}

fn list_rows(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<DamagedRow>, Error> {
    let find = || {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map(params, |row| {
            let text = |at| rows::text(row, at);
            Ok(DamagedRow { table: text(0), row: text(1), pipeline: text(2), what: text(3) })
        })?;
        rows.collect()
    };
    let rows: rusqlite::Result<Vec<DamagedRow>> = find();
    rows.doing("look for damage")
}

fn pairs(connection: &Connection, sql: &str) -> Result<Vec<(String, String)>, Error> {
    let find = || {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((rows::text(row, 0), rows::text(row, 1))))?;
        rows.collect()
    };
    let pairs: rusqlite::Result<Vec<(String, String)>> = find();
    pairs.doing("look for damage")
}
