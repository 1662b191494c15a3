//! `gatewright outbox`

mod change;
mod deliver;
mod find;
mod list;
mod show;
mod standing;

use api::OutboxView;
use clap::{Args, Subcommand};
pub(crate) use deliver::{deliver, exit_status};
use ports::Store;
pub(crate) use standing::{Standing, configure, is_stranded, next_sender};

use crate::{
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output::{self, Log},
    words,
};

/// List, show, deliver, retry and drop letters: what destinations are told
///
/// ID is a letter's id or the beginning of one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Outbox {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List letters that wait, are under way or are dead
    List(list::List),
    /// Show a letter and what became of it
    Show(show::Show),
    /// Deliver what is due now, and end: for a cron job, where no `run` is at work
    Deliver(deliver::Deliver),
    /// Have a letter tried again with the next `run` or `outbox deliver`, before those behind it
    Retry(change::Retry),
    /// Decide that a letter is not to be delivered
    Drop(change::Drop),
}

impl Outbox {
    /// What of the log is shown: a list of what has not come to an end names what is damaged.
    pub(crate) const fn log(&self) -> Log {
        match &self.command {
            None => self.list.log(),
            Some(Command::List(list)) => list.log(),
            Some(Command::Show(_) | Command::Deliver(_) | Command::Retry(_) | Command::Drop(_)) => {
                Log::Whole
            }
        }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
            Some(Command::Deliver(command)) => command.run(context).await,
            Some(Command::Retry(command)) => command.run(context).await,
            Some(Command::Drop(command)) => command.run(context).await,
        }
    }
}

/// How many letters have not come to a good end, by destination.
pub(crate) async fn counts(store: &dyn Store) -> Result<Vec<OutboxView>, CliError> {
    let counts = store.count_letters().await?.into_iter();
    Ok(OutboxView::all(counts.map(|it| (it.destination, it.state, it.count, it.oldest))))
}

/// Those counts in a few words: `log: 2 wait (oldest 3m ago), 1 dead`.
pub(crate) fn summary(view: &OutboxView, now: jiff::Timestamp) -> String {
    let OutboxView { destination, waiting, oldest, dead } = view;
    let oldest = oldest.map(|at| format!(" (oldest {})", words::ago(at, now))).unwrap_or_default();
    match (waiting, dead) {
        (_, 0) => format!("{destination}: {waiting} waiting{oldest}"),
        (0, _) => format!("{destination}: {dead} dead"),
        _ => format!("{destination}: {waiting} waiting{oldest}, {dead} dead"),
    }
}

/// Says what is not delivered at the end of a command that could have.
pub(crate) async fn say_what_is_left(context: &Context, store: &dyn Store) -> Result<(), CliError> {
    let now = jiff::Timestamp::now();
    for view in counts(store).await? {
        if !context.global.quiet {
            output::say(format_args!(
                "not delivered to {} — {} outbox",
                summary(&view, now),
                crate::called::gatewright()
            ));
        }
    }
    Ok(())
}
