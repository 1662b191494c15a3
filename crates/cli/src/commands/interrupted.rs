//! What has not ended and waits for nobody: what goes on with `run --resume all`, and what a person paused.

use domain::pipeline::{Actor, Pipeline, PipelineState, PipelineStateTag};
use ports::{PipelineFilter, Store};

use super::data::{self, Pause};
use crate::error::CliError;

/// What ran or was queued when a process went away, and what a process paused when it was interrupted. What a person
/// paused stays so.
pub(crate) async fn list(store: &dyn Store) -> Result<Vec<Pipeline>, CliError> {
    use PipelineStateTag as Tag;
    let mut interrupted = Vec::new();
    for pipeline in list_in(store, vec![Tag::Queued, Tag::Running, Tag::Paused]).await? {
        let is_paused = matches!(pipeline.state, PipelineState::Paused { .. });
        if !is_paused || paused_by(store, &pipeline).await? == Some(Actor::Engine) {
            interrupted.push(pipeline);
        }
    }
    Ok(interrupted)
}

/// What a person paused, and who, as far as its log can be read.
pub(crate) async fn list_paused(
    store: &dyn Store,
) -> Result<Vec<(Pipeline, Option<Actor>)>, CliError> {
    let mut paused = Vec::new();
    for pipeline in list_in(store, vec![PipelineStateTag::Paused]).await? {
        let by = paused_by(store, &pipeline).await?;
        if by != Some(Actor::Engine) {
            paused.push((pipeline, by));
        }
    }
    Ok(paused)
}

/// Pipelines in these states, oldest first.
async fn list_in(
    store: &dyn Store,
    states: Vec<PipelineStateTag>,
) -> Result<Vec<Pipeline>, CliError> {
    let filter = PipelineFilter { states, ..PipelineFilter::default() };
    let mut pipelines = store.list_pipelines(&filter).await?;
    pipelines.sort_by_key(|it| it.id);
    Ok(pipelines)
}

async fn paused_by(store: &dyn Store, pipeline: &Pipeline) -> Result<Option<Actor>, CliError> {
    Ok(match data::last_pause(store, pipeline).await? {
        Pause::Known(event) => Some(event.actor),
        Pause::Unreadable | Pause::None => None,
    })
}
