//! `verdict`: a reviewer approves in the front matter of its review.
//!
//! Only that field counts: a table, a second front matter or a sentence that says APPROVED does not.

use crate::{commit::Commit, document::Document, obstacle::Obstacle, ruling::Ruling};

/// Judges the review at `path`.
pub(crate) async fn judge(commit: &Commit<'_>, path: &str) -> Result<Ruling, Obstacle> {
    let review = match Document::load(commit, path).await? {
        Ok(review) => review,
        Err(ruling) => return Ok(ruling),
    };
    let broken = match review.word("verdict") {
        Ok(word) if word.eq_ignore_ascii_case("APPROVED") => {
            let findings = review.into_advice("findings");
            return Ok(Ruling { findings, ..Ruling::pass(format!("`{path}` approves")) });
        }
        Ok(word) if word.eq_ignore_ascii_case("REQUEST_CHANGES") => {
            return Ok(review.into_failure("findings", None, format!("`{path}` requests changes")));
        }
        Ok(word) => format!("`{path}` has the unknown verdict `{}`", crate::text::head(word, 100)),
        Err(reason) => format!("`{path}` {reason}"),
    };
    let expected = format!(
        "{broken}; its front matter must say `verdict: APPROVED` or `verdict: REQUEST_CHANGES`"
    );
    Ok(review.into_failure("findings", Some(expected), broken))
}
