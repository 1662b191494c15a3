//! Projects.

use domain::name::ProjectKey;
use ports::ProjectRecord;
use rusqlite::{Connection, Row, params};

use super::rows::{self, Damage, TableRow};
use crate::error::Error;

const SAVE: &str = "INSERT INTO projects (key, repository) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET repository = excluded.repository";
const FIND: &str = "SELECT key, repository FROM projects WHERE key = ?1";
const LIST: &str = "SELECT key, repository FROM projects ORDER BY key";

pub(crate) const STATEMENTS: &[&str] = &[SAVE, FIND, LIST];

struct ProjectRow {
    key: String,
    repository: String,
}

impl TableRow for ProjectRow {
    const TABLE: &'static str = "projects";
    /// It belongs to none: any may go by it.
    const PIPELINE: usize = 0;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { key: row.get(0)?, repository: row.get(1)? })
    }
}

impl TryFrom<ProjectRow> for ProjectRecord {
    type Error = Error;

    fn try_from(row: ProjectRow) -> Result<Self, Error> {
        let ProjectRow { key, repository } = row;
        let damage = Damage { table: ProjectRow::TABLE, id: &key };
        Ok(Self { key: damage.in_column("key", ProjectKey::new(key.as_str()))?, repository })
    }
}

pub(crate) fn save(connection: &Connection, project: &ProjectRecord) -> Result<(), Error> {
    let ProjectRecord { key, repository } = project;
    rows::write(connection, SAVE, params![key.as_str(), repository], "save the project").map(drop)
}

pub(crate) fn find(
    connection: &Connection,
    key: &ProjectKey,
) -> Result<Option<ProjectRecord>, Error> {
    rows::find::<ProjectRow, _>(connection, FIND, [key.as_str()], "find the project")
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<ProjectRecord>, Error> {
    rows::list::<ProjectRow, _>(connection, LIST, [], "list the projects")
}
