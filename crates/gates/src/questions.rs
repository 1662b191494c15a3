//! `questions`: a file of questions goes to a person before the work goes on.

use domain::verdict::Finding;

use crate::{
    commit::{Commit, Entry},
    limits::FINDINGS_BYTES_MAX,
    obstacle::Obstacle,
    ruling::{Answer, Ruling},
    text,
};

/// Judges whether `path` asks something.
pub(crate) async fn judge(commit: &Commit<'_>, path: &str) -> Result<Answer, Obstacle> {
    let broken = match commit.load(path).await? {
        Entry::Missing => return Ok(Answer::Ruling(Ruling::pass("there are no questions"))),
        Entry::NotAFile => {
            format!("`{path}` is not a regular file; write the questions, or remove it")
        }
        Entry::File { content, .. } => {
            let content = String::from_utf8_lossy(&content);
            let questions = text::visible(content.trim_start_matches('\u{feff}').trim());
            if !questions.is_empty() {
                return Ok(Answer::Ask {
                    questions: text::head(&questions, FINDINGS_BYTES_MAX).into_owned(),
                });
            }
            // A person who is asked nothing can answer nothing.
            format!("`{path}` asks nothing; write the questions, or remove it")
        }
    };
    Ok(Answer::Ruling(Ruling::fail(
        format!("`{path}` holds no questions"),
        vec![Finding::blocking(broken).at(path)],
    )))
}
