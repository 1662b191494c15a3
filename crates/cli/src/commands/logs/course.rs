//! Who may still write to a log that is followed?

use domain::{
    decision::Decision,
    item::ItemKey,
    job::JobStateTag,
    pipeline::{Pipeline, PipelineState},
    run::Run,
};
use ports::{JobFilter, Store as _, StoreError};

use crate::{
    called::gatewright,
    commands::{attendance::Attendance, data::Opened, decisions},
    error::CliError,
    holder::Holder,
    words::{asks, one_line},
};

/// What may still come of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Its agent is followed by a process that is alive.
    GoesOn,
    /// Nobody follows it, although its pipeline has not ended: in lines, with the command that goes on.
    NobodyAtWork(Vec<String>),
    /// It has ended.
    Ended,
    /// Its end is not recorded and never will be: its pipeline is over, in words.
    Over(String),
}

/// Looks where a run stands.
pub(super) async fn look(data: &Opened, run: &Run) -> Result<Course, CliError> {
    let now = data.store.find_run(run.id).await?;
    if now.is_none_or(|it| it.ended_at.is_some()) {
        return Ok(Course::Ended);
    }
    let pipeline = match data.store.find_pipeline(run.pipeline).await {
        Ok(Some(pipeline)) => pipeline,
        Ok(None) => return Ok(Course::Ended),
        Err(error @ StoreError::Inconsistent { .. }) => return Ok(Course::Over(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let key = &pipeline.item.key;
    let decision = match pipeline.state {
        PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => {
            let words = format!("{key} has ended, and the end of this run is not recorded");
            return Ok(Course::Over(words));
        }
        PipelineState::AwaitingHuman { decision, .. } | PipelineState::Blocked { decision, .. } => {
            data.store.find_decision(decision).await?
        }
        PipelineState::Running { .. } | PipelineState::Queued | PipelineState::Paused { .. } => {
            None
        }
    };
    let jobs = JobFilter { pipeline: Some(pipeline.id), states: vec![JobStateTag::Running] };
    let attendance = Attendance::of(data, &data.store.list_jobs(&jobs).await?);
    let holder = attendance.holder.as_ref();
    Ok(match decision {
        Some(decision) => Course::NobodyAtWork(waits(key, &decision, holder)),
        None if is_taken_up(&pipeline, holder) => Course::GoesOn,
        None => Course::NobodyAtWork(stands_still(&pipeline, holder)),
    })
}

/// Whether a process works on it or will: what its forerunner had, it takes up with its next heartbeat.
fn is_taken_up(pipeline: &Pipeline, holder: Option<&Holder>) -> bool {
    matches!(pipeline.state, PipelineState::Running { .. })
        && holder.is_some_and(Holder::is_at_work)
}

fn stands_still(pipeline: &Pipeline, holder: Option<&Holder>) -> Vec<String> {
    let key = &pipeline.item.key;
    let is_running = matches!(pipeline.state, PipelineState::Running { .. });
    let goes_on = format!("`{} run --resume {key}` goes on", gatewright());
    let next = match holder {
        None => goes_on,
        Some(holder) => match holder.obstacle() {
            Some(obstacle) if is_running && holder.works() => {
                format!("{} {obstacle}", holder.name())
            }
            _ => format!("{goes_on} {}", holder.once_ended()),
        },
    };
    vec![format!("nobody is at work on {key}: {next}; what its agent prints meanwhile is shown")]
}

/// Nothing but an answer moves it, and an answer needs the data directory for itself.
fn waits(key: &ItemKey, decision: &Decision, holder: Option<&Holder>) -> Vec<String> {
    let (asks, question) = (asks(decision.kind), one_line(&decision.question));
    let mut lines =
        vec![format!("nobody is at work on {key}: it waits for a person, who {asks}: {question}")];
    lines.extend(decisions::answer_lines(decision).into_iter().map(|line| format!("  {line}")));
    lines.extend(holder.map(|it| format!("which can be said {}", it.once_ended())));
    lines
}

#[cfg(test)]
mod tests {
    use domain::{
        decision::{Choice, DecisionKind, DecisionState},
        id::{DecisionId, PipelineId},
        name::ProjectKey,
    };
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_question_is_named_with_the_commands_that_answer_it_and_when_they_can() {
        let id = DecisionId::from_u128(1);
        let decision = Decision {
            id,
            pipeline: PipelineId::from_u128(1),
            kind: DecisionKind::Approval,
            question: "Is it\nas it should be?".to_owned(),
            findings: Vec::new(),
            show: Vec::new(),
            commit: None,
            options: vec![Choice::Approve, Choice::Reject],
            opened_at: Timestamp::UNIX_EPOCH,
            state: DecisionState::Open,
        };
        let key = ItemKey { project: ProjectKey::new("ET").unwrap(), number: 1 };
        let lines = waits(&key, &decision, None);
        assert!(lines[0].starts_with("nobody is at work on ET-001: it waits for a person, who "));
        assert!(lines[0].ends_with(" approves or rejects: Is it as it should be?"), "{lines:?}");
        assert!(lines[1].ends_with(&format!(" approve {id}")), "{lines:?}");
        assert!(lines[2].contains(&format!(" reject {id} ")), "{lines:?}");
        assert_eq!(lines.len(), 3);
        let holder = Holder::look("pid 0, `gatewright run`, since then".to_owned());
        let held = waits(&key, &decision, Some(&holder));
        assert!(held[3].starts_with("which can be said once pid 0, "), "{held:?}");
    }
}
