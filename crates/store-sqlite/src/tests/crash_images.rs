//! What is on disk when the process dies in the middle of a migration, or of a checkpoint.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::Connection;
use tempfile::TempDir;

use super::migrations::{SAMPLES, assert_sample_is_whole};
use crate::{
    connection, cut,
    migrations::{MIGRATIONS, found, migrate, migrate_to},
    unusable::Unusable,
};

/// A directory with an empty database.
fn place() -> (TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let database = Utf8PathBuf::try_from(dir.path().join("gatewright.db")).unwrap();
    fs::write(&database, "").unwrap();
    (dir, database)
}

fn log_of(database: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{database}-wal"))
}

/// A database with these bytes and this log, as the next process finds them.
fn opened(bytes: &[u8], log: &[u8]) -> (TempDir, Connection) {
    let (dir, database) = place();
    fs::write(&database, bytes).unwrap();
    fs::write(log_of(&database), log).unwrap();
    let reader = connection::for_reading(&database).unwrap();
    cut::refuse_cut(&reader, &database).expect("what the file lacks is in the log");
    drop(reader);
    (dir, connection::for_writing(&database).unwrap())
}

fn assert_is_sound(connection: &Connection) {
    let answer: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

/// Row `migration step` of the crash-point matrix: the old schema with all that was in it, and the next start goes on.
#[test]
fn a_crash_in_the_middle_of_a_migration_leaves_the_schema_before_it() {
    for (version, migration) in (1..).zip(&MIGRATIONS[1..]) {
        let (_dir, database) = place();
        let mut connection = connection::for_writing(&database).unwrap();
        migrate_to(&mut connection, version, "here").unwrap();
        connection.execute_batch(SAMPLES[version as usize - 1]).unwrap();
        // Nothing is kept in memory: what is not committed reaches the log as well.
        connection.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1").unwrap();
        let cut = connection.transaction().unwrap();
        cut.execute_batch(migration.sql).unwrap();
        cut.pragma_update(None, "user_version", version + 1).unwrap();
        let (bytes, log) = (fs::read(&database).unwrap(), fs::read(log_of(&database)).unwrap());

        let (_image, mut connection) = opened(&bytes, &log);
        assert_eq!(found(&connection, "here").unwrap(), version);
        migrate(&mut connection, "here").unwrap();
        assert_sample_is_whole(&connection);
        assert_is_sound(&connection);
    }
}

/// Row `checkpoint`: half of the pages are in the database already, the log is whole.
#[test]
fn a_crash_in_the_middle_of_a_checkpoint_changes_no_content() {
    let (_dir, database) = place();
    let mut connection = connection::for_writing(&database).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    migrate(&mut connection, "here").unwrap();
    connection.execute_batch(SAMPLES.last().unwrap()).unwrap();
    let log = fs::read(log_of(&database)).unwrap();
    let before = fs::read(&database).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    let after = fs::read(&database).unwrap();
    assert!(before.len() < after.len(), "the checkpoint wrote nothing");
    for written in [0, after.len() / 3, after.len() / 2, after.len()] {
        // Cut where a write of the disk may be cut, which need not be a page.
        let mut torn = after[..written].to_vec();
        torn.extend(before.iter().skip(written));
        let (_image, connection) = opened(&torn, &log);
        assert_sample_is_whole(&connection);
        assert_is_sound(&connection);
    }
}

/// What is neither in the file nor in its log is gone, however little it is.
#[test]
fn a_file_without_a_part_of_its_last_page_is_cut_unless_its_log_has_that_page() {
    let (_dir, database) = place();
    let mut connection = connection::for_writing(&database).unwrap();
    migrate(&mut connection, "here").unwrap();
    connection.execute_batch(SAMPLES.last().unwrap()).unwrap();
    let log = fs::read(log_of(&database)).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let whole = fs::read(&database).unwrap();
    drop(connection);
    for missing in [1, 511, 4095] {
        let bytes = &whole[..whole.len() - missing];
        drop(opened(bytes, &log));
        let (_image, image) = place();
        fs::write(&image, bytes).unwrap();
        let connection = connection::for_reading(&image).unwrap();
        let refused = cut::refuse_cut(&connection, &image).expect_err("a part is missing");
        match Unusable::find_in(&refused) {
            Some(Unusable::Cut { has, needed, .. }) => {
                assert_eq!((*has, *needed), (bytes.len() as u64, whole.len() as u64));
            }
            other => panic!("{missing}: {other:?}"),
        }
    }
}
