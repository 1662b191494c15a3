//! Where a pipeline is, in a word or two.

use api::PipelineView;

use super::one_line;

/// Its status, that nobody works on it where it says that it runs, and who paused it.
pub(crate) fn status(view: &PipelineView) -> String {
    match (view.at_work, view.paused_by.as_deref()) {
        (Some(false), _) => format!("{} (nobody at work)", view.status),
        (_, Some("engine")) => format!("{} (interrupted)", view.status),
        (_, Some(person)) => format!("{} by {}", view.status, one_line(person)),
        (Some(true) | None, None) => view.status.to_string(),
    }
}
