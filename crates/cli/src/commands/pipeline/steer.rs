//! `gatewright pipeline start|pause|resume|cancel|retry|restart-stage`

use api::PipelineView;
use clap::Args;
use domain::{
    item::ItemKey,
    name::StageName,
    pipeline::{Input, InputTag, Pipeline, PipelineState, Refusal},
};
use engine::EngineError;
use ports::Store as _;

use super::resolve;
use crate::{
    called::gatewright,
    commands::{
        data::{self, Opened, all_events, last_pause},
        drive::Drive,
        landing, steering,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output, words,
};

/// What to start.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The pipeline
    id: String,
}

/// What to pause.
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The pipeline
    id: String,
}

/// What to resume.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The pipeline
    id: String,
}

/// What to give up.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The pipeline
    id: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// What to try again.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The pipeline
    id: String,
    /// Words for the agent
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// What to begin anew.
#[derive(Debug, Args)]
pub(crate) struct RestartStage {
    /// The pipeline
    id: String,
    /// The stage
    stage: StageName,
}

impl Start {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        steer(context, HoldingCommand::PipelineStart, &self.id, Input::Start).await
    }
}

impl Pause {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        steer(context, HoldingCommand::PipelinePause, &self.id, Input::Pause).await
    }
}

impl Resume {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        steer(context, HoldingCommand::PipelineResume, &self.id, Input::Resume).await
    }
}

impl Cancel {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let input = Input::Cancel { reason: self.reason.clone() };
        steer(context, HoldingCommand::PipelineCancel, &self.id, input).await
    }
}

impl Retry {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let input = Input::Retry { comment: self.comment.clone() };
        steer(context, HoldingCommand::PipelineRetry, &self.id, input).await
    }
}

impl RestartStage {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let input = Input::RestartStage { stage: self.stage.clone() };
        steer(context, HoldingCommand::PipelineRestartStage, &self.id, input).await
    }
}

/// Brings a person's input to a pipeline and says how it goes on.
async fn steer(
    context: &Context,
    command: HoldingCommand,
    id: &str,
    input: Input,
) -> Result<ExitStatus, CliError> {
    let data = Opened::write(context, command).await?;
    let drive = Drive::begin(context)?;
    let pipeline = resolve(&*data.store, id).await?;
    let was_landing = landing::is_in_doubt(&pipeline.state);
    let engine = steering::engine(context, &data).await?;
    match engine.bring(pipeline.id, &input, &context.person).await {
        Err(EngineError::Refused(Refusal::NotAllowed { input, .. })) => {
            return Err(cannot_take(&data, &pipeline, input).await?);
        }
        moved => drop(moved?),
    }
    steering::stop_left_behind(context, &drive, &data, engine, &pipeline).await?;
    let pipeline = data.store.find_pipeline(pipeline.id).await?.unwrap_or(pipeline);
    let events = all_events(&*data.store, pipeline.id).await?;
    // Nobody else can be at work: this process holds the data directory, and ends.
    let is_running = matches!(pipeline.state, PipelineState::Running { .. });
    let mut view =
        PipelineView::with_events(&pipeline, &events).attended(is_running.then_some(false));
    if was_landing && matches!(pipeline.state, PipelineState::Cancelled { .. }) {
        view = view.in_doubt();
        landing::warn(&pipeline);
    }
    // It has happened; whom it leaves behind is for the next process where nobody waited.
    let ended = drive.ended_with(ExitStatus::Success);
    if context.global.json {
        output::json(&view);
        return Ok(ended);
    }
    let why = view.reason.as_ref().map(|why| format!(": {}", words::one_line(why)));
    let status = words::status(&view);
    output::data(format_args!("{} is {status}{}", view.item, why.unwrap_or_default()));
    if let Some(next) = next_step(&pipeline.state, &view) {
        output::data(format_args!("  {next}"));
    }
    Ok(ended)
}

/// What is refused, in the words that lists have for where it is, and what can be done there.
async fn cannot_take(
    data: &Opened,
    pipeline: &Pipeline,
    input: InputTag,
) -> Result<CliError, CliError> {
    let events = match last_pause(&*data.store, pipeline).await? {
        data::Pause::Known(event) => vec![*event],
        data::Pause::Unreadable | data::Pause::None => Vec::new(),
    };
    let view = PipelineView::with_events(pipeline, &events);
    let is_running = matches!(pipeline.state, PipelineState::Running { .. });
    let view = view.attended(is_running.then_some(false));
    let key = &pipeline.item.key;
    let error =
        CliError::new(format!("{key} is {} and cannot take `{input}`", words::status(&view)));
    Ok(error.help(what_it_takes(&pipeline.state, key)))
}

fn what_it_takes(state: &PipelineState, key: &ItemKey) -> String {
    let gatewright = gatewright();
    let goes_on = format!("`{gatewright} run --resume {key}` goes on with it");
    match state {
        PipelineState::Queued => format!("{goes_on}; it takes start, pause and cancel"),
        PipelineState::Running { .. } => {
            format!("{goes_on}; it takes pause, cancel and restart-stage")
        }
        PipelineState::Paused { inner } if matches!(**inner, PipelineState::Blocked { .. }) => {
            format!("{goes_on}; it takes resume, retry, cancel and restart-stage")
        }
        PipelineState::Paused { .. } => {
            format!("{goes_on}; it takes resume, cancel and restart-stage")
        }
        PipelineState::AwaitingHuman { decision, .. } => format!(
            "`{gatewright} decisions show {decision}` has the question; it takes pause, cancel and restart-stage"
        ),
        PipelineState::Blocked { decision, .. } => format!(
            "`{gatewright} decisions show {decision}` has the question; it takes retry, pause, cancel and restart-stage"
        ),
        PipelineState::Failed { .. } => "it has ended; it takes retry and cancel".to_owned(),
        PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. } => {
            "it has ended, and nothing moves it any more".to_owned()
        }
    }
}

fn next_step(state: &PipelineState, view: &PipelineView) -> Option<String> {
    let gatewright = gatewright();
    match state {
        PipelineState::Running { .. } => {
            Some(format!("go on:   {gatewright} run --resume {}", view.id))
        }
        PipelineState::Paused { .. } => {
            Some(format!("go on:   {gatewright} pipeline resume {}", view.id))
        }
        PipelineState::AwaitingHuman { decision, .. } | PipelineState::Blocked { decision, .. } => {
            Some(format!("answer:  {gatewright} decisions show {decision}"))
        }
        PipelineState::Queued
        | PipelineState::Succeeded { .. }
        | PipelineState::Failed { .. }
        | PipelineState::Cancelled { .. } => None,
    }
}
