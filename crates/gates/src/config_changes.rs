//! Changes to what decides about gates: said in every verdict, because a person has to look at them.
//!
//! They cannot help the branch that makes them: its gates come from the pinned definition.

use domain::verdict::{Finding, Severity};
use ports::{ChangeKind, PathChange};

/// A finding for each change to the configuration or the definitions.
pub(crate) fn flag(changes: &[PathChange]) -> Vec<Finding> {
    let flagged = changes.iter().filter(|change| {
        change.path == "gatewright.toml" || change.path.starts_with(".gatewright/")
    });
    flagged.map(|PathChange { path, kind }| {
        let what = match kind {
            ChangeKind::Added => "adds",
            ChangeKind::Modified => "changes",
            ChangeKind::Deleted => "deletes",
        };
        Finding {
            severity: Severity::Advisory,
            path: Some(path.clone()),
            line: None,
            message: format!("this branch {what} `{path}`, which decides about gates: a person has to approve that"),
            rule: Some("gate-config".to_owned()),
        }
    }).collect()
}
