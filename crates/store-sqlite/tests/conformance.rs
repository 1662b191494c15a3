//! The conformance suite, on files and in memory; and SQLite in lock-step with the model.

use camino::Utf8PathBuf;
use proptest::prelude::*;
use store_sqlite::{Mode, Options, SqliteStore};
use testkit::{
    store_conformance::lockstep::{calls, compare},
    store_model::ModelStore,
};

/// A store in a directory that lives as long as the second value.
fn in_a_directory() -> (SqliteStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = Utf8PathBuf::try_from(directory.path().join("data")).expect("a path in UTF-8");
    let mode = Mode::ReadWrite { holder: "a test".to_owned() };
    let store = SqliteStore::open(Options { data_dir, mode, queue_max: 100 }).expect("a store");
    (store, directory)
}

mod on_files {
    testkit::store_conformance!(super::in_a_directory());
}

mod in_memory {
    testkit::store_conformance!((super::SqliteStore::in_memory().expect("a store"), ()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_says_what_the_model_says(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (model, sqlite) = (ModelStore::default(), SqliteStore::in_memory().unwrap());
        runtime.block_on(compare(&model, &sqlite, &calls));
    }
}
