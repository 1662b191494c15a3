//! Where a pipeline is, in a word or two.

use api::PipelineView;

/// Its status, and that nobody works on it where it says that it runs.
pub(crate) fn status(view: &PipelineView) -> String {
    match view.at_work {
        Some(false) => format!("{} (nobody at work)", view.status),
        Some(true) | None => view.status.to_string(),
    }
}
