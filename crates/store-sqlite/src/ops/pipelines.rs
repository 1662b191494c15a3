//! Pipelines: a document each, and beside it what queries ask for.

use domain::{
    id::PipelineId,
    item::ItemKey,
    name::ProjectKey,
    pipeline::{NewPipeline, Pipeline, PipelineState, PipelineStateTag},
};
use ports::{DamagedRow, PipelineFilter};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};
use strum::VariantArray as _;

use super::rows::{self, Damage, Looks, TableRow, integer, limit_or_none};
use crate::{
    document,
    error::{Doing, Error},
    time,
};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, project, number, definition, status, stage, version, epoch, created_at, document FROM pipelines ", $rest)
    };
}

const LAST_NUMBER: &str = "SELECT coalesce(max(number), 0) FROM pipelines WHERE project = ?1";
const CREATE: &str = "INSERT INTO pipelines (id, project, number, definition, status, stage, version, epoch, created_at, document)
    VALUES (:id, :project, :number, :definition, :status, :stage, :version, :epoch, :created_at, :document)";
const SAVE: &str = "UPDATE pipelines SET status = :status, stage = :stage, version = :version, epoch = :epoch, document = :document
    WHERE id = :id AND version = :version - 1";
const FIND: &str = select!("WHERE id = :id");
const FIND_OF: &str = "SELECT id FROM pipelines WHERE project = ?1 AND number = ?2";
const LIST: &str = select!(
    "WHERE status IN (SELECT value FROM json_each(:states)) ORDER BY created_at DESC, id DESC LIMIT :limit"
);
const LIST_OF_PROJECT: &str = select!(
    "WHERE project = :project AND status IN (SELECT value FROM json_each(:states)) ORDER BY created_at DESC, id DESC LIMIT :limit"
);

pub(crate) const STATEMENTS: &[&str] =
    &[LAST_NUMBER, CREATE, SAVE, FIND, FIND_OF, LIST, LIST_OF_PROJECT];

pub(crate) const LOOKS: Looks = Looks {
    unfinished: select!("WHERE status NOT IN ('succeeded', 'failed', 'cancelled')"),
    of_one: select!("WHERE id = ?1"),
    all: select!(""),
};

pub(crate) struct PipelineRow {
    id: String,
    project: String,
    number: u32,
    definition: String,
    status: String,
    stage: Option<String>,
    version: i64,
    epoch: u32,
    created_at: i64,
    document: String,
}

impl TableRow for PipelineRow {
    const TABLE: &'static str = "pipelines";
    const PIPELINE: usize = 0;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            project: row.get(1)?,
            number: row.get(2)?,
            definition: row.get(3)?,
            status: row.get(4)?,
            stage: row.get(5)?,
            version: row.get(6)?,
            epoch: row.get(7)?,
            created_at: row.get(8)?,
            document: row.get(9)?,
        })
    }
}

impl TryFrom<PipelineRow> for Pipeline {
    type Error = Error;

    fn try_from(row: PipelineRow) -> Result<Self, Error> {
        let PipelineRow {
            id,
            project,
            number,
            definition,
            status,
            stage,
            version,
            epoch,
            created_at,
            document,
        } = row;
        let damage = Damage { table: PipelineRow::TABLE, id: &id };
        let pipeline: Self = damage.in_column("document", document::decode(&document))?;
        damage.unless_same("id", &id, &pipeline.id.to_string())?;
        damage.unless_same("project", &project.as_str(), &pipeline.project.as_str())?;
        damage.unless_same("project", &pipeline.item.key.project, &pipeline.project)?;
        damage.unless_same("number", &number, &pipeline.item.key.number)?;
        damage.unless_same("definition", &definition, &pipeline.definition.0)?;
        damage.unless_same("status", &status.as_str(), &status_of(&pipeline.state))?;
        damage.unless_same("stage", &stage.as_deref(), &stage_of(&pipeline))?;
        damage.unless_same("version", &version, &integer(pipeline.version))?;
        damage.unless_same("epoch", &epoch, &pipeline.epoch)?;
        damage.unless_same("created_at", &created_at, &time::to_column(pipeline.created_at))?;
        Ok(pipeline)
    }
}

fn status_of(state: &PipelineState) -> &'static str {
    PipelineStateTag::from(state).into()
}

fn stage_of(pipeline: &Pipeline) -> Option<&str> {
    pipeline.stage().map(domain::name::StageName::as_str)
}

/// Makes a pipeline with the next free number of its project.
pub(crate) fn create(connection: &Connection, new: &NewPipeline) -> Result<Pipeline, Error> {
    let number = last_number(connection, &new.project)?.max(new.number_above) + 1;
    let pipeline =
        new.numbered(number).map_err(|error| Error::refused("create the pipeline", error))?;
    let params = named_params! {
        ":id": pipeline.id.to_string(),
        ":project": pipeline.project.as_str(),
        ":number": number,
        ":definition": pipeline.definition.0,
        ":status": status_of(&pipeline.state),
        ":stage": stage_of(&pipeline),
        ":version": integer(pipeline.version),
        ":epoch": pipeline.epoch,
        ":created_at": time::to_column(pipeline.created_at),
        ":document": document::encode(&pipeline)?,
    };
    rows::write(connection, CREATE, params, "create the pipeline")?;
    Ok(pipeline)
}

fn last_number(connection: &Connection, project: &ProjectKey) -> Result<u32, Error> {
    let find =
        || connection.prepare_cached(LAST_NUMBER)?.query_row([project.as_str()], |row| row.get(0));
    find().doing("find the next number of the project")
}

/// Writes the pipeline over the version before it. Says whether that is what was there.
pub(crate) fn save(connection: &Connection, pipeline: &Pipeline) -> Result<bool, Error> {
    let params = named_params! {
        ":id": pipeline.id.to_string(),
        ":status": status_of(&pipeline.state),
        ":stage": stage_of(pipeline),
        ":version": integer(pipeline.version),
        ":epoch": pipeline.epoch,
        ":document": document::encode(pipeline)?,
    };
    Ok(rows::write(connection, SAVE, params, "save the pipeline")? == 1)
}

pub(crate) fn find(connection: &Connection, id: PipelineId) -> Result<Option<Pipeline>, Error> {
    rows::find::<PipelineRow, _>(
        connection,
        FIND,
        named_params! { ":id": id.to_string() },
        "find the pipeline",
    )
}

/// Which pipeline is the one of that item.
pub(crate) fn find_of(
    connection: &Connection,
    item: &ItemKey,
) -> Result<Option<PipelineId>, Error> {
    let ItemKey { project, number } = item;
    let find = || {
        connection
            .prepare_cached(FIND_OF)?
            .query_row(params![project.as_str(), number], |row| row.get(0))
            .optional()
    };
    let id: Option<String> = find().doing("find the pipeline of an item")?;
    let item = item.to_string();
    let damage = Damage { table: PipelineRow::TABLE, id: &item };
    id.map(|id| damage.in_column("id", id.parse())).transpose()
}

pub(crate) fn list(
    connection: &Connection,
    filter: &PipelineFilter,
) -> Result<Vec<Pipeline>, Error> {
    let listing = Listing::of(filter)?;
    let params = listing.params();
    let operation = "list the pipelines";
    rows::list::<PipelineRow, _>(connection, listing.sql, params.as_slice(), operation)
}

/// The rows that a list leaves out because nobody can read them.
pub(crate) fn damaged(
    connection: &Connection,
    filter: &PipelineFilter,
) -> Result<Vec<DamagedRow>, Error> {
    let listing = Listing::of(filter)?;
    let params = listing.params();
    let whole = |_: &Pipeline| Ok(());
    rows::damaged::<PipelineRow, _>(connection, listing.sql, params.as_slice(), whole)
}

/// A filter as SQL has it.
struct Listing<'a> {
    sql: &'static str,
    project: Option<&'a str>,
    states: String,
    limit: i64,
}

impl<'a> Listing<'a> {
    fn of(filter: &'a PipelineFilter) -> Result<Self, Error> {
        let PipelineFilter { project, states, limit } = filter;
        let states = if states.is_empty() { PipelineStateTag::VARIANTS } else { states };
        Ok(Self {
            sql: if project.is_some() { LIST_OF_PROJECT } else { LIST },
            project: project.as_ref().map(ProjectKey::as_str),
            states: rows::json_list(states)?,
            limit: limit_or_none(*limit),
        })
    }

    fn params(&self) -> Vec<(&'static str, &dyn ToSql)> {
        let project = self.project.as_ref().map(|it| (":project", it as &dyn ToSql));
        let others: [(_, &dyn ToSql); 2] = [(":states", &self.states), (":limit", &self.limit)];
        others.into_iter().chain(project).collect()
    }
}
