//! Rows to values: the one way in, and what happens to a row that is none.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use ports::DamagedRow;
use rusqlite::{Connection, Params, Row, types::ValueRef};

use crate::error::{Doing, Error};

/// A row as it stands in the database, before anybody believes it.
pub(crate) trait TableRow: Sized {
    /// The table, for messages.
    const TABLE: &'static str;
    /// Which column names the pipeline that it belongs to.
    const PIPELINE: usize;

    /// Reads the columns. The first one identifies the row.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
}

/// The one row that a statement finds. A damaged one is an error.
pub(crate) fn find<R, T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    operation: &'static str,
) -> Result<Option<T>, Error>
where
    R: TableRow,
    T: TryFrom<R, Error = Error>,
{
    let mut statement = connection.prepare_cached(sql).doing(operation)?;
    let mut rows = statement.query(params).doing(operation)?;
    rows.next().doing(operation)?.map(value::<R, T>).transpose()
}

/// The rows that a statement finds. Damaged ones are left out and logged: the others can be worked with.
pub(crate) fn list<R, T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    operation: &'static str,
) -> Result<Vec<T>, Error>
where
    R: TableRow,
    T: TryFrom<R, Error = Error>,
{
    let mut statement = connection.prepare_cached(sql).doing(operation)?;
    let mut rows = statement.query(params).doing(operation)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next().doing(operation)? {
        match value::<R, T>(row) {
            Ok(value) => values.push(value),
            Err(Error::Damaged { table, id, what }) => {
                tell_once(table, &id, &what);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// What damaged rows are logged as, for whoever tells of them in another way and needs no lines.
pub const DAMAGE_TARGET: &str = "store_sqlite::damage";

/// Damaged rows that this process has told of.
static TOLD: Mutex<BTreeSet<(&str, String)>> = Mutex::new(BTreeSet::new());
/// More are not told of one by one.
const TOLD_MAX: usize = 1000;

/// A list is asked for again and again; what is wrong with a row is worth one line.
fn tell_once(table: &'static str, id: &str, what: &str) {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < TOLD_MAX && told.insert((table, id.to_owned())) {
        tracing::error!(target: DAMAGE_TARGET, table, row.id = id, "left out a damaged row of {table}: {what}");
    }
}

/// Statements that look for damage in a table.
pub(crate) struct Looks {
    /// In the rows of pipelines that have not ended.
    pub(crate) unfinished: &'static str,
    /// In the rows of one pipeline.
    pub(crate) of_one: &'static str,
    /// In all rows.
    pub(crate) all: &'static str,
}

/// The rows that a statement finds and that cannot be, because nobody can read them or because `check` says so.
pub(crate) fn damaged<R, T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Vec<DamagedRow>, Error>
where
    R: TableRow,
    T: TryFrom<R, Error = Error>,
{
    let operation = "look for damage";
    let mut statement = connection.prepare(sql).doing(operation)?;
    let mut rows = statement.query(params).doing(operation)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().doing(operation)? {
        let what = match value::<R, T>(row) {
            Ok(value) => match check(&value) {
                Ok(()) => continue,
                Err(what) => what,
            },
            Err(Error::Damaged { what, .. }) => what,
            Err(error) => return Err(error),
        };
        let pipeline = text(row, R::PIPELINE);
        found.push(DamagedRow { table: R::TABLE.to_owned(), row: id(row), pipeline, what });
    }
    Ok(found)
}

/// A column, whatever it holds.
pub(crate) fn text(row: &Row<'_>, column: usize) -> String {
    match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn value<R, T>(row: &Row<'_>) -> Result<T, Error>
where
    R: TableRow,
    T: TryFrom<R, Error = Error>,
{
    let row = R::read(row).map_err(|error| Error::Damaged {
        table: R::TABLE,
        id: id(row),
        what: error.to_string(),
    })?;
    T::try_from(row)
}

/// The first column, whatever it holds.
fn id(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => "without an id".to_owned(),
    }
}

/// Executes a statement that writes, and says how many rows it wrote.
pub(crate) fn write(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    operation: &'static str,
) -> Result<usize, Error> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params))
        .doing(operation)
}

/// What is wrong with a row, as an error.
pub(crate) struct Damage<'a> {
    pub(crate) table: &'static str,
    pub(crate) id: &'a str,
}

impl Damage<'_> {
    pub(crate) fn of(&self, what: impl Into<String>) -> Error {
        Error::Damaged { table: self.table, id: self.id.to_owned(), what: what.into() }
    }

    /// What was parsed from a column.
    pub(crate) fn in_column<T, E: std::fmt::Display>(
        &self,
        column: &str,
        parsed: Result<T, E>,
    ) -> Result<T, Error> {
        parsed.map_err(|error| self.of(format!("{column}: {error}")))
    }

    /// The column repeats what the document says, or one of them is wrong.
    pub(crate) fn unless_same<T: PartialEq>(
        &self,
        column: &str,
        found: &T,
        expected: &T,
    ) -> Result<(), Error> {
        if found == expected {
            Ok(())
        } else {
            Err(self.of(format!("{column}: contradicts the document")))
        }
    }
}

/// A count or version as a column. None ever comes near the end of the range.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A limit as SQL has it: 0 is none.
pub(crate) fn limit_or_none(limit: u32) -> i64 {
    if limit == 0 { -1 } else { i64::from(limit) }
}

/// Tags as a JSON array, for `json_each`.
pub(crate) fn json_list<T: ToString>(tags: &[T]) -> Result<String, Error> {
    let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
    serde_json::to_string(&tags).map_err(|source| Error::refused("write a list as JSON", source))
}
