//! Files that a branch must not delete: without its tests, every tests gate passes.

use domain::{path_rules, verdict::Finding};
use ports::{ChangeKind, PathChange};

use crate::{findings, limits::FINDINGS_BYTES_MAX, obstacle::Obstacle, ruling::Ruling};

/// A failure where `changes` delete a file that matches one of the globs. A test that was renamed counts as deleted:
/// under its new name the command may never find it.
pub(crate) fn judge(changes: &[PathChange], keep: &[String]) -> Result<Option<Ruling>, Obstacle> {
    let globs = keep.iter().map(|glob| path_rules::compile(glob)).collect::<Result<Vec<_>, _>>()?;
    let is_kept = |path: &str| globs.iter().any(|glob| glob.is_match(path));
    let deleted =
        changes.iter().filter(|change| change.kind == ChangeKind::Deleted && is_kept(&change.path));
    let found: Vec<_> = deleted.map(|PathChange { path, .. }| deletion(path)).collect();
    let summary = match &found[..] {
        [] => return Ok(None),
        [one] => one.message.clone(),
        many => format!("this branch deletes {} files that must stay", many.len()),
    };
    Ok(Some(Ruling::fail(summary, findings::fit(found, FINDINGS_BYTES_MAX, "this commit"))))
}

fn deletion(path: &str) -> Finding {
    let message =
        format!("this branch deletes the test `{path}`; restore it, or ask a person to waive this");
    Finding { rule: Some("keep".to_owned()), ..Finding::blocking(message).at(path) }
}
