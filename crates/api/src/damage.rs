//! Rows that cannot be.

use serde::Serialize;

/// A row that cannot be read, contradicts another, or names what is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DamageView {
    /// The table.
    pub table: String,
    /// The row, as it names itself.
    pub row: String,
    /// The pipeline that is parked for it, as the row names it.
    pub pipeline: String,
    /// Which column, and what is wrong with it.
    pub what: String,
}
