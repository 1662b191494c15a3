//! `gatewright outbox show`

use api::LetterView;
use clap::Args;
use jiff::Timestamp;

use super::{
    find::find,
    standing::{Standing, next_sender},
};
use crate::{
    commands::data::Opened, context::Context, error::CliError, exit::ExitStatus, output, words,
};

/// Which letter.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The letter
    id: String,
}

impl Show {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::read(context)?;
        let letter = find(&*data.store, &self.id).await?;
        let view = Standing::look(&data).await?.view(&letter);
        if context.global.json {
            output::json(&view);
        } else {
            print(&view, words::event_line(&letter.event.kind).as_deref());
        }
        Ok(ExitStatus::Success)
    }
}

fn print(view: &LetterView, happened: Option<&str>) {
    let now = Timestamp::now();
    let line = |name: &str, value: &str| {
        output::data(format_args!("{name:<12} {}", words::one_line(value)));
    };
    let time = |name: &str, at: Option<Timestamp>| {
        if let Some(at) = at {
            line(name, &format!("{at} ({})", words::ago(at, now)));
        }
    };
    let text = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            line(name, value);
        }
    };
    line("letter", &view.id.to_string());
    line("key", &view.key);
    line("destination", view.destination.as_str());
    line("state", &view.state);
    line("item", &format!("{} {}", view.item, view.title));
    line("pipeline", &view.pipeline.to_string());
    line("event", &format!("{} ({})", view.event, view.number));
    text("", happened);
    time("happened", Some(view.at));
    time("due", view.due_at);
    text("behind", view.behind.map(|it| it.to_string()).as_deref());
    text("taken by", view.owner.as_deref());
    if view.at_work == Some(false) {
        text("", Some(&format!("which is gone: {} sends it", next_sender())));
    }
    time("ended", view.ended_at);
    text("it is called", view.remote.as_deref());
    text("dropped by", view.by.as_deref());
    text("because", view.reason.as_deref());
    line("failures", &view.failures.to_string());
    text("last error", view.last_error.as_deref());
}
