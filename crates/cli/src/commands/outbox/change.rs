//! `gatewright outbox retry|drop`

use std::sync::Arc;

use api::LetterView;
use clap::Args;
use domain::outbox::{Letter, LetterStateTag};
use engine::Engine;
use ports::{LetterFilter, Store as _};

use super::find::find;
use crate::{
    called::gatewright,
    commands::{data::Opened, steering},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output, words,
};

/// What to try again.
#[derive(Debug, Args)]
pub(super) struct Retry {
    /// The letter
    #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
    id: Option<String>,
    /// Every letter that is dead
    #[arg(long)]
    all_dead: bool,
}

/// What not to deliver.
#[derive(Debug, Args)]
pub(super) struct Drop {
    /// The letter
    id: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Retry {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::write(context, HoldingCommand::OutboxRetry).await?;
        let engine = engine(context, &data).await?;
        let letters = if let Some(id) = &self.id {
            vec![find(&*data.store, id).await?]
        } else {
            let state = Some(LetterStateTag::Dead);
            data.store.list_letters(&LetterFilter { state, ..LetterFilter::default() }).await?
        };
        let mut changed = Vec::new();
        for letter in letters {
            changed.push(engine.retry_letter(letter.id, &context.person).await?);
        }
        let gatewright = gatewright();
        let next = format!(
            "tried again with the next `{gatewright} run` or `{gatewright} outbox deliver`"
        );
        tell(context, &changed, &next);
        Ok(ExitStatus::Success)
    }
}

impl Drop {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        if self.reason.trim().is_empty() {
            return Err(CliError::usage("the reason is empty").help("say why, for the log"));
        }
        let data = Opened::write(context, HoldingCommand::OutboxDrop).await?;
        let engine = engine(context, &data).await?;
        let letter = find(&*data.store, &self.id).await?;
        let dropped = engine.drop_letter(letter.id, &self.reason, &context.person).await?;
        tell(context, &[dropped], "not delivered");
        Ok(ExitStatus::Success)
    }
}

/// An engine, after it has taken back what a process that is gone was delivering.
async fn engine(context: &Context, data: &Opened) -> Result<Arc<Engine>, CliError> {
    let engine = steering::engine(context, data).await?;
    engine.recover_letters().await?;
    Ok(engine)
}

fn tell(context: &Context, letters: &[Letter], what: &str) {
    if context.global.json {
        let views: Vec<LetterView> = letters.iter().map(LetterView::from).collect();
        output::json(&views);
        return;
    }
    if letters.is_empty() {
        output::say("no letter is dead");
    }
    for letter in letters {
        let view = LetterView::from(letter);
        output::data(format_args!(
            "{} {} to {}: {what}",
            view.item,
            words::one_line(&view.event),
            view.destination
        ));
    }
}
