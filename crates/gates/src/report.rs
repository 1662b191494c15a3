//! `report`: a tester says in the front matter of its report that everything passed.
//!
//! The word PASS in the prose does not count.

use crate::{commit::Commit, document::Document, obstacle::Obstacle, ruling::Ruling};

/// Judges the report at `path`.
pub(crate) async fn judge(commit: &Commit<'_>, path: &str) -> Result<Ruling, Obstacle> {
    let report = match Document::load(commit, path).await? {
        Ok(report) => report,
        Err(ruling) => return Ok(ruling),
    };
    let broken = match report.word("result") {
        Ok(word) if word.eq_ignore_ascii_case("PASS") => {
            return Ok(Ruling::pass(format!("`{path}` reports a pass")));
        }
        Ok(word) if word.eq_ignore_ascii_case("FAIL") => {
            return Ok(report.into_failure("failures", None, format!("`{path}` reports failures")));
        }
        Ok(word) => format!("`{path}` has the unknown result `{}`", crate::text::head(word, 100)),
        Err(reason) => format!("`{path}` {reason}"),
    };
    let expected = format!("{broken}; its front matter must say `result: PASS` or `result: FAIL`");
    Ok(report.into_failure("failures", Some(expected), broken))
}
