//! `gatewright decisions`, `approve`, `reject`

mod answer;
mod list;
mod show;

pub(crate) use answer::{Approve, Reject};
use clap::{Args, Subcommand};
pub(crate) use show::{answer_lines, question_lines};

use crate::{context::Context, error::CliError, exit::ExitStatus, output::Log};

/// List, show and resolve questions to people
///
/// ID is a question's id or the beginning of one; or a pipeline's id or an item's key that waits for one answer.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Decisions {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the questions that wait for an answer
    List(list::List),
    /// Show a question with everything that is needed to answer it
    Show(show::Show),
    /// Answer a question; the answer is final
    Resolve(answer::Resolve),
}

impl Decisions {
    /// What of the log is shown: a list names what is damaged.
    pub(crate) const fn log(&self) -> Log {
        match &self.command {
            None | Some(Command::List(_)) => Log::WithoutDamage,
            Some(Command::Show(_) | Command::Resolve(_)) => Log::Whole,
        }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
            Some(Command::Resolve(command)) => command.run(context).await,
        }
    }
}
