//! `absent`: a file that says why the work cannot go on must not be there.

use domain::verdict::Finding;

use crate::{
    commit::{Commit, Entry},
    findings,
    limits::FINDINGS_BYTES_MAX,
    obstacle::Obstacle,
    ruling::Ruling,
};

/// Judges whether `path` is absent; its text is the finding where it is not.
pub(crate) async fn judge(commit: &Commit<'_>, path: &str) -> Result<Ruling, Obstacle> {
    let message = match commit.load(path).await? {
        Entry::Missing => return Ok(Ruling::pass(format!("`{path}` does not exist"))),
        Entry::NotAFile => format!("`{path}` exists, and is not a regular file"),
        Entry::File { content, .. } => match String::from_utf8_lossy(&content).trim() {
            "" => format!("`{path}` exists, and is empty"),
            text => text.to_owned(),
        },
    };
    let found = vec![Finding::blocking(message).at(path)];
    Ok(Ruling::fail(
        format!("`{path}` exists"),
        findings::fit(found, FINDINGS_BYTES_MAX, &format!("`{path}`")),
    ))
}
