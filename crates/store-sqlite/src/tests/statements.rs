//! Every statement fits the tables, and the hot ones use the indexes made for them.

use rusqlite::Connection;

use crate::{connection, migrations, ops};

pub(super) fn migrated() -> Connection {
    let mut connection = connection::in_memory().unwrap();
    migrations::migrate(&mut connection, "memory").unwrap();
    connection
}

#[test]
fn every_statement_can_be_prepared() {
    ops::prepare(&migrated()).unwrap();
}

/// Reads or sorts all that there is of something that stays small: projects, breakers, questions, lanes, what runs, what one
/// pipeline has.
const SMALL: &[&str] = &[
    "FROM projects ORDER BY key",
    "FROM breakers",
    "FROM decisions ORDER BY opened_at",
    "WITH RECURSIVE lanes",
    "SELECT lane, count(*) FROM jobs WHERE state = 'running'",
    "FROM jobs WHERE state IN",
    "FROM jobs WHERE pipeline = ?2",
    "FROM verdicts WHERE pipeline = ?1 ORDER BY id",
];

#[test]
fn no_statement_reads_or_sorts_what_grows() {
    let connection = migrated();
    for statement in ops::STATEMENTS.iter().copied().flatten() {
        if SMALL.iter().any(|part| statement.contains(part)) {
            continue;
        }
        let plan = plan(&connection, statement);
        let is_slow = |line: &String| {
            let no_table = line.contains("json_each") || line == "SCAN CONSTANT ROW";
            let scan = line.starts_with("SCAN ") && !line.contains("USING") && !no_table;
            scan || line.contains("TEMP B-TREE")
        };
        assert!(!plan.iter().any(is_slow), "{statement}\n{}", plan.join("\n"));
    }
}

/// However much there is of others: what asks for one pipeline is asked whenever somebody looks at it.
#[test]
fn what_belongs_to_one_pipeline_is_found_without_a_walk_over_all() {
    let connection = migrated();
    for statement in [
        ops::letters::LIST_OF_PIPELINE,
        ops::letters::LOOKS.of_one,
        ops::events::LOOKS.of_one,
        ops::runs::LOOKS.of_one,
        ops::verdicts::LOOKS.of_one,
        ops::timers::LOOKS.of_one,
    ] {
        let plan = plan(&connection, statement);
        let walks = plan.iter().any(|line| line.starts_with("SCAN "));
        assert!(!walks, "{statement}\n{}", plan.join("\n"));
    }
}

fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let count = explained.parameter_count();
    let nothing = std::iter::repeat_n(rusqlite::types::Null, count);
    let lines = explained.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3)).unwrap();
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn events_cannot_be_changed_or_removed() {
    let connection = migrated();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
        .execute("INSERT INTO events VALUES (1, 'pl_1', 1, 1, 0, 'started', '')", [])
        .unwrap();
    for statement in ["UPDATE events SET at = 1", "DELETE FROM events"] {
        let error = connection.execute(statement, []).expect_err("events are for ever");
        assert!(error.to_string().starts_with("events are never"), "{error}");
    }
}

#[test]
fn the_tables_refuse_states_that_cannot_be() {
    let connection = migrated();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    let job = |state: &str, available_at: &str, lease: &str, claims: u32| {
        format!(
            "INSERT INTO jobs (id, pipeline, project, slot, epoch, stage, attempt, round, work, kind, exclusive, priority, failures,
                transient_failures, losses, claims, state, created_at, available_at, lease_owner, lease_token, lease_expires_at)
             VALUES ('job_1', 'pl_1', 'ET', 's', 0, 'a', 1, 0, '', 'gate', 0, 0, 0, 0, 0, {claims}, '{state}', 0, {available_at}, {lease})"
        )
    };
    let pipeline = |status: &str, stage: &str| {
        format!(
            "INSERT INTO pipelines VALUES ('pl_1', 'ET', 1, 'd', '{status}', {stage}, 0, 0, 0, '')"
        )
    };
    let none = "NULL, NULL, NULL";
    for refused in [
        job("lost", "NULL", none, 0),
        job("queued", "NULL", none, 0),
        job("done", "7", none, 0),
        job("running", "NULL", none, 0),
        job("running", "NULL", "'w', 1, NULL", 1),
        job("running", "NULL", "'w', 1, 9", 2),
        job("queued", "7", "'w', 1, 9", 1),
        pipeline("running", "NULL"),
        pipeline("succeeded", "'a'"),
        pipeline("asleep", "NULL"),
    ] {
        let error = connection.execute(&refused, []).expect_err(&refused);
        assert!(error.to_string().starts_with("CHECK constraint failed"), "{refused}: {error}");
    }
    let letter = |state: &str, due_at: &str| {
        format!(
            "INSERT INTO outbox (id, destination, event, state, due_at, version, document)
             VALUES ('ltr_1', 'log', 1, '{state}', {due_at}, 0, '')"
        )
    };
    for refused in [letter("queued", "NULL"), letter("dead", "7"), letter("lost", "NULL")] {
        let error = connection.execute(&refused, []).expect_err(&refused);
        assert!(error.to_string().starts_with("CHECK constraint failed"), "{refused}: {error}");
    }
    connection.execute(&letter("sending", "7"), []).unwrap();
    let error = connection.execute("DELETE FROM outbox", []).expect_err("letters are for ever");
    assert!(error.to_string().starts_with("letters are never removed"), "{error}");
    for accepted in [job("running", "NULL", "'w', 1, 9", 1), pipeline("paused", "'a'")] {
        connection.execute(&accepted, []).unwrap();
    }
}
