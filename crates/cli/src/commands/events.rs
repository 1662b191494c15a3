//! `gatewright events`

use std::time::Duration;

use api::EventView;
use clap::Args;
use domain::{
    id::PipelineId,
    pipeline::{Event, EventKindTag},
};
use owo_colors::Stream;
use ports::Store;

use crate::{
    called::gatewright,
    commands::{data::Opened, pipeline::resolve},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
    system::SystemClock,
    words::{Tone, event_line, one_line, paint, tone_of_event},
};

/// Events that are read at once.
const PAGE: u32 = 1000;
/// How often the log is looked at while it is followed.
const POLL: Duration = Duration::from_millis(300);

/// Show what happened, oldest first; with --json an object a line
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// The pipeline [default: all of them]
    pipeline: Option<String>,
    /// Go on with what happens from now on; ends with the pipeline
    #[arg(short, long)]
    follow: bool,
    /// Only what came after this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
}

impl Events {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = match &self.pipeline {
            Some(_) => Opened::read(context)?,
            None => match self.find(context).await? {
                Some(data) => data,
                None => return Ok(ExitStatus::Success),
            },
        };
        let store = &*data.store;
        let pipeline = match &self.pipeline {
            Some(text) => Some(resolve(store, text).await?.id),
            None => None,
        };
        let mut after = self.after;
        loop {
            // Asked before reading: what happened until the end is read after it is known to have come.
            let is_over = !self.follow || is_over(store, pipeline).await?;
            after = print_all(context, store, pipeline, after).await?;
            if is_over {
                return Ok(ExitStatus::Success);
            }
            SystemClock::default().pause(POLL).await;
        }
    }
}

impl Events {
    /// What there is, or `None` before anything was ever begun; who follows waits until something is.
    async fn find(&self, context: &Context) -> Result<Option<Opened>, CliError> {
        let mut found = Opened::find(context)?;
        if found.is_none() {
            output::say(format_args!("nothing yet: {} run \"…\" begins something", gatewright()));
        }
        if self.follow {
            while found.is_none() {
                SystemClock::default().pause(POLL).await;
                found = Opened::find(context)?;
            }
        }
        Ok(found)
    }
}

async fn is_over(store: &dyn Store, pipeline: Option<PipelineId>) -> Result<bool, CliError> {
    let Some(id) = pipeline else { return Ok(false) };
    Ok(store.find_pipeline(id).await?.is_none_or(|it| it.state.is_terminal()))
}

/// Prints everything after a sequence number and returns the last one.
async fn print_all(
    context: &Context,
    store: &dyn Store,
    pipeline: Option<PipelineId>,
    mut after: u64,
) -> Result<u64, CliError> {
    loop {
        let page = store.list_events(pipeline, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(after) };
        after = last.seq;
        for event in &page {
            if context.global.json {
                output::json_line(&EventView::from(event));
            } else {
                output::data(line(event, pipeline.is_none()));
            }
        }
    }
}

fn line(event: &Event, names_pipeline: bool) -> String {
    let words = event_line(&event.kind);
    let words =
        words.unwrap_or_else(|| EventKindTag::from(&event.kind).to_string().replace('_', " "));
    let time =
        paint(Stream::Stdout, Tone::Quiet, &event.at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    let words = paint(Stream::Stdout, tone_of_event(&event.kind), &words);
    let by = match &event.actor {
        domain::pipeline::Actor::Person { name } => format!("  ({})", one_line(name)),
        _ => String::new(),
    };
    if names_pipeline {
        format!("{time}  {}  {words}{by}", event.pipeline)
    } else {
        format!("{time}  {words}{by}")
    }
}
