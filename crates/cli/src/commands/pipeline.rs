//! `gatewright pipeline`

mod find;

mod diff;
mod graph;
mod list;
mod seen;
mod show;
mod steer;
mod why;

use clap::Subcommand;
pub(crate) use find::{begins_with, resolve, resolve_decision, resolve_id};
pub(crate) use why::{Asked, explain};

use crate::{context::Context, error::CliError, exit::ExitStatus, output::Log};

/// List, show and steer pipelines
///
/// ID is a pipeline's id, the beginning of one, or an item's key such as ET-001.
///
/// Looking is always possible. One process at a time changes anything: while a `run` holds the data directory, the others
/// wait 2 s and then say which process it is. End that one with Ctrl-C, which keeps everything, and ask again.
#[derive(Debug, Subcommand)]
pub(crate) enum Pipeline {
    /// List pipelines, newest first
    List(list::List),
    /// Show where a pipeline is and why, and everything that happened on the way
    Show(show::Show),
    /// Start a pipeline that is queued
    Start(steer::Start),
    /// Have a pipeline wait: what is under way ends, nothing new is started
    Pause(steer::Pause),
    /// Have a paused pipeline go on
    Resume(steer::Resume),
    /// Give a pipeline up
    Cancel(steer::Cancel),
    /// Try again what blocked or failed, with fresh budgets
    Retry(steer::Retry),
    /// Leave what is under way behind and begin a stage anew
    RestartStage(steer::RestartStage),
    /// Draw a pipeline or a definition
    Graph(graph::GraphArgs),
    /// Show what a pipeline has changed so far
    Diff(diff::Diff),
}

impl Pipeline {
    /// What of the log is shown: those that look name what is damaged.
    pub(crate) const fn log(&self) -> Log {
        match self {
            Self::List(_) | Self::Show(_) => Log::WithoutDamage,
            Self::Start(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Cancel(_)
            | Self::Retry(_)
            | Self::RestartStage(_)
            | Self::Graph(_)
            | Self::Diff(_) => Log::Whole,
        }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Start(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Resume(command) => command.run(context).await,
            Self::Cancel(command) => command.run(context).await,
            Self::Retry(command) => command.run(context).await,
            Self::RestartStage(command) => command.run(context).await,
            Self::Graph(command) => command.run(context).await,
            Self::Diff(command) => command.run(context).await,
        }
    }
}
