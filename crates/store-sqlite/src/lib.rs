//! The store on SQLite: SQL, migrations, row to domain and back.
//!
//! One thread writes, and commits what came meanwhile together; a few read-only connections read. Everything that
//! touches a row is a plain function on a connection, in [`ops`]; nothing else in this crate knows a table.

mod options;
mod store;

mod port;

mod batch;
mod readers;
mod writer;

mod connection;
mod cut;
mod data_dir;
mod file_limit;
mod form;
mod health;
mod migrations;
mod snapshot;

mod document;
mod error;
mod ops;
mod time;
mod unusable;

#[cfg(test)]
mod tests;

pub use data_dir::{DirectoryLock, RESTORING, database_file, find_holder, hold};
pub use health::Health;
pub use ops::DAMAGE_TARGET;
pub use options::{Mode, Options};
pub use snapshot::{Contents, NoCopy, bring_up_to_date, examine, snapshot};
pub use store::SqliteStore;
pub use unusable::{Code, Unusable};
