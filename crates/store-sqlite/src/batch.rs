//! Commits the work of several callers together: one transaction, one wait for the disk.

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{Doing, Error};

/// The work of one caller, and how to tell them what came of it.
pub(crate) trait Call: Send {
    /// Does the work, and keeps its result. Called again where the transaction was lost through no fault of its own.
    fn run(&mut self, connection: &Connection) -> Result<(), Failed>;

    /// Tells the caller: the result, or why it could not be committed. An error of its own goes first.
    fn answer(self: Box<Self>, commit: Result<(), Error>);
}

/// The work failed and must be undone; its caller's error is kept for them.
pub(crate) struct Failed;

/// A function, its result, and who waits for it.
pub(crate) struct Work<F, T> {
    function: F,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Work<F, T> {
    pub(crate) fn new(function: F, reply: oneshot::Sender<Result<T, Error>>) -> Self {
        Self { function, result: None, reply }
    }
}

impl<F, T> Call for Work<F, T>
where
    F: FnMut(&Connection) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Failed> {
        let result = (self.function)(connection);
        let outcome = if result.is_ok() { Ok(()) } else { Err(Failed) };
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, commit: Result<(), Error>) {
        let result = match (self.result, commit) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(error),
            (result, Ok(())) => result.expect("work is run before it is committed"),
        };
        // A caller that has gone away wants no answer; what it asked for is done all the same.
        self.reply.send(result).ok();
    }
}

/// How a transaction went.
enum Batch {
    /// What did not fail is durable.
    Committed,
    /// Nothing of it is.
    Failed(Error),
    /// Nothing of it is, because of one of the calls.
    Spoilt,
}

/// What a call that fails takes back.
#[derive(Clone, Copy)]
enum Undo {
    /// The whole transaction.
    All,
    /// Its own work: each has a savepoint, which costs as much as three small statements.
    Own,
}

/// Runs the calls in one transaction, commits, then answers all. A call that fails takes only its own work back; a commit
/// that fails fails all.
///
/// Hardly any call fails, since what a caller may not do is an answer like any other. So they are tried without savepoints
/// first.
pub(crate) fn run(connection: &Connection, mut calls: Vec<Box<dyn Call>>) {
    for undo in [Undo::All, Undo::Own] {
        match commit_together(connection, &mut calls, undo) {
            Batch::Committed => return answer(calls, || Ok(())),
            Batch::Failed(error) => return answer(calls, || Err(error.clone())),
            // It hears of its own error.
            Batch::Spoilt if calls.len() == 1 => return answer(calls, || Ok(())),
            Batch::Spoilt => {}
        }
    }
    // SQLite took the whole transaction back in spite of savepoints, as it may when the disk is full: each alone, so that
    // only the guilty one hears of it.
    for call in calls {
        run(connection, vec![call]);
    }
}

fn answer(calls: Vec<Box<dyn Call>>, commit: impl Fn() -> Result<(), Error>) {
    for call in calls {
        call.answer(commit());
    }
}

fn commit_together(connection: &Connection, calls: &mut [Box<dyn Call>], undo: Undo) -> Batch {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE").doing("begin a transaction") {
        return Batch::Failed(error);
    }
    for call in calls {
        let ran = match undo {
            Undo::All => call.run(connection).map_err(|Failed| {
                take_back(connection);
                Batch::Spoilt
            }),
            Undo::Own => in_savepoint(connection, call.as_mut()).map_err(|error| {
                // Where SQLite itself has taken the transaction back, it was because of this call.
                let is_open = !connection.is_autocommit();
                if is_open { failed(connection, error) } else { Batch::Spoilt }
            }),
        };
        if let Err(batch) = ran {
            return batch;
        }
    }
    match execute(connection, "COMMIT").doing("commit") {
        Ok(()) => Batch::Committed,
        Err(error) => failed(connection, error),
    }
}

fn in_savepoint(connection: &Connection, call: &mut dyn Call) -> Result<(), Error> {
    execute(connection, "SAVEPOINT call").doing("begin a call")?;
    if let Err(Failed) = call.run(connection) {
        execute(connection, "ROLLBACK TO call").doing("undo a failed call")?;
    }
    execute(connection, "RELEASE call").doing("end a call")
}

fn failed(connection: &Connection, error: Error) -> Batch {
    take_back(connection);
    Batch::Failed(error)
}

fn take_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(failure) = execute(connection, "ROLLBACK")
    {
        tracing::error!(
            error = &failure as &dyn std::error::Error,
            "could not take a failed transaction back"
        );
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_of<T: Send + 'static>(
        calls: &mut Vec<Box<dyn Call>>,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        calls.push(Box::new(Work::new(work, reply)));
        answer
    }

    fn insert(number: i64) -> impl FnMut(&Connection) -> Result<(), Error> {
        move |connection| {
            connection
                .execute("INSERT INTO numbers VALUES (?1, 'x')", [number])
                .map(drop)
                .doing("insert")
        }
    }

    fn numbers(connection: &Connection) -> Vec<i64> {
        let mut statement =
            connection.prepare("SELECT number FROM numbers ORDER BY number").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE numbers (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_call_that_fails_in_the_middle_hurts_nobody_else() {
        let connection = database();
        let mut calls = Vec::new();
        let mut first = answer_of(&mut calls, insert(1));
        let mut guilty = answer_of(&mut calls, |connection| {
            insert(2)(connection).and_then(|()| insert(1)(connection))
        });
        let mut last = answer_of(&mut calls, insert(3));
        run(&connection, calls);
        assert!(first.try_recv().unwrap().is_ok());
        assert!(guilty.try_recv().unwrap().is_err());
        assert!(last.try_recv().unwrap().is_ok());
        assert_eq!(numbers(&connection), [1, 3]);
    }

    #[test]
    fn a_full_disk_fails_only_who_needs_the_space() {
        let connection = database();
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        connection.pragma_update(None, "max_page_count", pages).unwrap();
        let mut calls = Vec::new();
        let mut first = answer_of(&mut calls, insert(1));
        let mut guilty = answer_of(&mut calls, |connection| {
            connection
                .execute("INSERT INTO numbers VALUES (2, ?1)", ["x".repeat(100_000)])
                .map(drop)
                .doing("insert")
        });
        let mut last = answer_of(&mut calls, insert(3));
        run(&connection, calls);
        assert!(first.try_recv().unwrap().is_ok());
        let error = guilty.try_recv().unwrap().expect_err("there is no room").at("here");
        assert!(matches!(error, ports::StoreError::DiskFull { operation: "insert" }), "{error:?}");
        assert!(last.try_recv().unwrap().is_ok());
        assert_eq!(numbers(&connection), [1, 3]);
    }

    #[test]
    fn a_commit_that_fails_fails_all_and_leaves_the_connection_usable() {
        let connection = database();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE links (number INTEGER REFERENCES numbers (number) DEFERRABLE INITIALLY DEFERRED) STRICT",
            )
            .unwrap();
        let mut calls = Vec::new();
        let mut first = answer_of(&mut calls, insert(1));
        let mut second = answer_of(&mut calls, |connection| {
            connection.execute("INSERT INTO links VALUES (9)", []).map(drop).doing("link")
        });
        run(&connection, calls);
        assert!(first.try_recv().unwrap().is_err());
        assert!(second.try_recv().unwrap().is_err());
        assert_eq!(numbers(&connection), [0; 0]);
        let mut calls = Vec::new();
        let mut next = answer_of(&mut calls, insert(4));
        run(&connection, calls);
        assert!(next.try_recv().unwrap().is_ok());
    }

    #[test]
    fn a_caller_that_went_away_is_served_all_the_same() {
        let connection = database();
        let mut calls = Vec::new();
        drop(answer_of(&mut calls, insert(1)));
        run(&connection, calls);
        assert_eq!(numbers(&connection), [1]);
    }
}
