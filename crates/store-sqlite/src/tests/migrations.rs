//! Migrations: every one over tables that are not empty, and none of a version that is not known.

use domain::id::PipelineId;
use ports::{Claim, JobFilter, LetterFilter, PipelineFilter, StoreError};
use rusqlite::Connection;
use testkit::store_conformance::fixtures;

use crate::{
    connection,
    migrations::{MIGRATIONS, check, migrate, migrate_to},
    ops::{
        breakers, claim, decisions, definitions, events, jobs, letters, pipelines, projects, runs,
        timers, verdicts,
    },
};

/// For each migration, rows as the version that ended with it wrote them.
pub(super) const SAMPLES: &[&str] = &[
    include_str!("samples/0001_first.sql"),
    include_str!("samples/0002_outbox.sql"),
    include_str!("samples/0003_breakers.sql"),
    include_str!("samples/0004_damage.sql"),
];

/// Everything that a version wrote can be read after every later migration, none of it damaged.
#[test]
fn rows_of_every_version_can_still_be_read() {
    assert_eq!(SAMPLES.len(), MIGRATIONS.len(), "every migration has its samples");
    for (version, sample) in (1..).zip(SAMPLES) {
        let mut connection = connection::in_memory().unwrap();
        migrate_to(&mut connection, version, "memory").unwrap();
        connection.execute_batch(sample).unwrap();
        migrate(&mut connection, "memory").unwrap();
        check(&connection, "memory").unwrap();
        assert_sample_is_whole(&connection);
        assert_breakers_are_whole(&connection, usize::from(version >= 3));
        assert_letters_are_whole(&connection, if version < 2 { 0 } else { 5 });
    }
}

/// One letter in each state, all of which can be read, and those that wait be taken.
fn assert_letters_are_whole(connection: &Connection, count: usize) {
    let found = letters::list(connection, &LetterFilter::default()).unwrap();
    assert_eq!(found.len(), count);
    let wish = fixtures::take(jiff::Timestamp::MAX, &["log", "chat", "hook"]);
    assert_eq!(letters::take(connection, &wish).unwrap().len(), count.min(2));
}

/// What was open stays open.
fn assert_breakers_are_whole(connection: &Connection, count: usize) {
    let found = breakers::list(connection).unwrap();
    assert_eq!(found.len(), count);
    assert!(found.iter().all(|it| it.state.hold().is_some()), "{found:?}");
}

pub(super) fn assert_sample_is_whole(connection: &Connection) {
    let id = PipelineId::from_u128(1);
    let found = pipelines::find(connection, id).unwrap().expect("the pipeline");
    assert!(definitions::find(connection, &found.definition).unwrap().is_some());
    assert_eq!(pipelines::list(connection, &PipelineFilter::default()).unwrap(), [found]);
    assert_eq!(projects::list(connection).unwrap().len(), 1);
    assert_eq!(jobs::list(connection, &JobFilter::default()).unwrap().len(), 2);
    assert_eq!(decisions::list(connection, Some(id), false).unwrap().len(), 1);
    assert_eq!(runs::list(connection, id).unwrap().len(), 1);
    assert_eq!(verdicts::list(connection, id).unwrap().len(), 1);
    assert_eq!(events::list(connection, Some(id), 0, 10).unwrap().len(), 1);
    assert_eq!(timers::list_due(connection, jiff::Timestamp::MAX).unwrap().len(), 1);
    let wish: Claim = fixtures::claim(jiff::Timestamp::MAX);
    assert_eq!(claim::claim(connection, &wish).unwrap().len(), 1);
}

#[test]
fn migrations_are_named_by_their_place() {
    for (number, migration) in (1..).zip(MIGRATIONS) {
        assert!(migration.name.starts_with(&format!("{number:04}_")), "{}", migration.name);
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    let mut connection = connection::in_memory().unwrap();
    migrate(&mut connection, "memory").unwrap();
    migrate(&mut connection, "memory").unwrap();
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let mut connection = connection::in_memory().unwrap();
    migrate(&mut connection, "memory").unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    for refused in [migrate(&mut connection, "memory"), check(&connection, "memory")] {
        assert!(matches!(refused, Err(StoreError::NewerSchema { found: 99, .. })), "{refused:?}");
    }
}

#[test]
fn a_reader_refuses_a_database_of_an_older_version() {
    let mut connection = connection::in_memory().unwrap();
    migrate_to(&mut connection, 0, "memory").unwrap();
    assert!(matches!(check(&connection, "memory"), Err(StoreError::Database { .. })));
}
