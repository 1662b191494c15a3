//! What is wrong with a database: asked by whoever looks, never on the way of work.

use domain::limits::{JOB_ATTEMPTS_MAX, JOB_LOST_MAX, JOB_TRANSIENT_ATTEMPTS_MAX};
use jiff::Timestamp;
use ports::{DamagedRow, PipelineFilter, StoreError};
use rusqlite::Connection;

use crate::{
    SqliteStore,
    error::{Doing, Error},
    form, migrations,
    ops::{
        damage::{self, Scope},
        letters, pipelines,
        stranded::nothing_moves,
    },
    snapshot,
};

/// Rows that are named for one invariant.
const ROWS_MAX: u32 = 5;

/// What SQL can see of the invariants of `ARCHITECTURE.md`: each finds the rows that break it.
const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "I2: the events of a pipeline are numbered without a gap, and none is newer than the pipeline",
        broken_by: "SELECT pipeline FROM events GROUP BY pipeline HAVING max(number) <> count(*) OR min(number) <> 1
            OR max(version) > (SELECT version FROM pipelines WHERE id = events.pipeline)",
    },
    Invariant {
        name: "I4: a pipeline that runs has a job, or a person's open question",
        broken_by: concat!("SELECT id FROM pipelines WHERE ", nothing_moves!()),
    },
    Invariant {
        name: "I5: a pipeline that has ended has no work but its clean-up, no open question, no timer, no merge lease",
        broken_by: "SELECT id FROM pipelines WHERE status IN ('succeeded', 'failed', 'cancelled') AND (
            EXISTS (SELECT 1 FROM jobs WHERE jobs.pipeline = pipelines.id AND state IN ('queued', 'running') AND kind <> 'cleanup')
            OR EXISTS (SELECT 1 FROM decisions WHERE decisions.pipeline = pipelines.id AND state = 'open')
            OR EXISTS (SELECT 1 FROM timers WHERE timers.pipeline = pipelines.id)
            OR EXISTS (SELECT 1 FROM merge_leases WHERE merge_leases.pipeline = pipelines.id))",
    },
    Invariant {
        name: "I6: budgets never pass their limits",
        broken_by: "SELECT id FROM jobs WHERE failures > :attempts + 1 OR transient_failures > :transient + 1 OR losses > :losses + 1",
    },
    Invariant {
        name: "I7: a job has a lease as long as it runs, with the token of its last claim",
        broken_by: "SELECT id FROM jobs WHERE (state = 'running') <> (lease_token IS NOT NULL) OR lease_token <> claims",
    },
];

struct Invariant {
    name: &'static str,
    broken_by: &'static str,
}

/// What is wrong with a database. Everything is empty where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What SQLite says of the file itself.
    pub file: Vec<String>,
    /// The first table, index or trigger that is not as the migrations make it: no copy is made of such a database.
    pub form: Option<String>,
    /// Rows that name others which are not there, at most twenty.
    pub dangling: Vec<String>,
    /// Rows that cannot be.
    pub damage: Vec<DamagedRow>,
    /// Invariants that do not hold, with the rows that break them.
    pub broken: Vec<String>,
}

impl SqliteStore {
    /// Looks at every row and every index, for as long as that takes. Changes nothing, and works while another process
    /// writes.
    pub async fn check(&self, now: Timestamp) -> Result<Health, StoreError> {
        let look = self.read_at_leisure(move |connection| {
            let health = Health {
                file: snapshot::integrity_check(connection)?,
                form: None,
                dangling: snapshot::dangling(connection)?,
                damage: damage::find(connection, Scope::All, now)?,
                broken: INVARIANTS
                    .iter()
                    .map(|it| broken(connection, it))
                    .collect::<Result<Vec<_>, Error>>()?
                    .into_iter()
                    .flatten()
                    .collect(),
            };
            Ok((health, form::parts(connection)?))
        });
        let (health, parts) = look.await?;
        let form = form::find_odd(&parts, migrations::known(), "memory")?;
        Ok(Health { form, ..health })
    }

    /// The pipelines that `list_pipelines` leaves out because nobody can read them.
    pub async fn damaged_pipelines(
        &self,
        filter: &PipelineFilter,
    ) -> Result<Vec<DamagedRow>, StoreError> {
        let filter = filter.clone();
        self.read(move |connection| pipelines::damaged(connection, &filter)).await
    }

    /// The letters that wait, are under way or are dead, and that nobody can read: `list_letters` leaves them out.
    pub async fn damaged_letters(&self) -> Result<Vec<DamagedRow>, StoreError> {
        self.read(letters::damaged).await
    }
}

/// The invariant with the first rows that break it, if any does.
fn broken(connection: &Connection, invariant: &Invariant) -> Result<Option<String>, Error> {
    let Invariant { name, broken_by } = invariant;
    let find = || {
        let mut statement = connection.prepare(&format!("{broken_by} LIMIT {ROWS_MAX}"))?;
        for (parameter, value) in [
            (":attempts", JOB_ATTEMPTS_MAX),
            (":transient", JOB_TRANSIENT_ATTEMPTS_MAX),
            (":losses", JOB_LOST_MAX),
        ] {
            if let Some(index) = statement.parameter_index(parameter)? {
                statement.raw_bind_parameter(index, value)?;
            }
        }
        let mut rows = statement.raw_query();
        let mut ids: Vec<String> = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(row.get(0)?);
        }
        Ok(ids)
    };
    let ids: rusqlite::Result<Vec<String>> = find();
    let ids = ids.doing("check an invariant")?;
    Ok((!ids.is_empty()).then(|| format!("{name}: {}", ids.join(", "))))
}
