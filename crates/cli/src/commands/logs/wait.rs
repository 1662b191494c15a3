//! What whoever follows a log waits for, where nothing is printed.

use std::mem::{Discriminant, discriminant};

use domain::{
    explain::{Depth, Mover},
    id::PipelineId,
    pipeline::Pipeline,
    run::Run,
};
use ports::Store as _;

use super::follow;
use crate::{
    commands::{data::Opened, pipeline::Asked},
    error::CliError,
    output,
    system::SystemClock,
    words::safe,
};

/// Waits for the first run of a pipeline, and says for what. `None` where the pipeline has ended without one.
pub(super) async fn for_a_run(data: &Opened, pipeline: &Pipeline) -> Result<Option<Run>, CliError> {
    let mut said: Option<(Vec<Discriminant<Mover>>, Option<bool>)> = None;
    loop {
        if let Some(run) = data.store.list_runs(pipeline.id).await?.pop() {
            return Ok(Some(run));
        }
        let Some(pipeline) = data.store.find_pipeline(pipeline.id).await? else { return Ok(None) };
        if pipeline.state.is_terminal() {
            return Ok(None);
        }
        let key = pipeline.item.key.clone();
        let asked = Asked::look(data, pipeline, Depth::Recent).await?;
        // In how many seconds it moves is no news.
        let what = asked.explanation.movers.iter().map(discriminant).collect();
        let what = Some((what, asked.explanation.at_work));
        if said != what {
            say(&format!("no agent has run for {key} yet; what moves it:"), &asked);
            said = what;
        }
        SystemClock::default().pause(follow::POLL).await;
    }
}

/// Says what moves a pipeline whose run has ended, unless it has ended as well.
pub(super) async fn say_what_comes(data: &Opened, id: PipelineId) -> Result<(), CliError> {
    let Some(pipeline) = data.store.find_pipeline(id).await? else { return Ok(()) };
    if !pipeline.state.is_terminal() {
        let key = pipeline.item.key.clone();
        let asked = Asked::look(data, pipeline, Depth::Recent).await?;
        say(&format!("{key} has not ended; what moves it:"), &asked);
    }
    Ok(())
}

fn say(what: &str, asked: &Asked<'_>) {
    output::say(what);
    for line in asked.lines() {
        output::say(format_args!("  {}", safe(&line)));
    }
}
