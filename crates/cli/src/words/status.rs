//! Where a pipeline is, in a word or two.

use api::PipelineView;

use super::one_line;

/// Its status, what it waits for or that nobody works on it where it says that it runs, who paused it, and that its agent
/// lives where no process is at it.
pub(crate) fn status(view: &PipelineView) -> String {
    let status = match (running(view), view.paused_by.as_deref()) {
        (Some(how), _) => format!("{} ({how})", view.status),
        (None, Some("engine")) => format!("{} (interrupted)", view.status),
        (None, Some(person)) => format!("{} by {}", view.status, one_line(person)),
        (None, None) => view.status.to_string(),
    };
    let is_left = view.at_work != Some(true) && view.agent_lives == Some(true);
    if is_left { format!("{status}, its agent is alive") } else { status }
}

/// What keeps a pipeline that says that it runs.
fn running(view: &PipelineView) -> Option<String> {
    let nobody = view.at_work == Some(false);
    match (&view.waits_for, view.goes_on_at) {
        // Whether a process is there makes no difference to that.
        (Some(breaker), None) => Some(format!("waits for a log-in of {breaker}")),
        (Some(breaker), Some(at)) => {
            let nobody = if nobody { ", nobody at work" } else { "" };
            Some(format!("waits for {breaker} until {at:.0}{nobody}"))
        }
        (None, _) => nobody.then(|| "nobody at work".to_owned()),
    }
}
