//! One file a command.

pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod run;

pub(crate) mod decisions;
pub(crate) mod events;
pub(crate) mod logs;
pub(crate) mod outbox;
pub(crate) mod pipeline;
pub(crate) mod queue;

pub(crate) mod agents;
pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod definition;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod gate;
pub(crate) mod restore;

pub(crate) mod hidden;

mod attendance;
mod damage;
mod data;
mod destination;
mod drive;
mod here;
mod holds;
mod interrupted;
mod landing;
mod patience;
mod steering;
mod workspaces;

use crate::{args::Command, context::Context, error::CliError, exit::ExitStatus};

/// Runs a command.
pub(crate) async fn run(context: &Context, command: Command) -> Result<ExitStatus, CliError> {
    match command {
        Command::Demo(command) => command.run(context).await,
        Command::Init(command) => command.run(context).await,
        Command::Run(command) => command.run(context).await,
        Command::Pipeline(command) => command.run(context).await,
        Command::Logs(command) => command.run(context).await,
        Command::Events(command) => command.run(context).await,
        Command::Decisions(command) => command.run(context).await,
        Command::Approve(command) => command.run(context).await,
        Command::Reject(command) => command.run(context).await,
        Command::Queue(command) => command.run(context).await,
        Command::Outbox(command) => command.run(context).await,
        Command::Gate(command) => command.run(context).await,
        Command::Definition(command) => command.run(context).await,
        Command::Agents(command) => command.run(context).await,
        Command::Doctor(command) => command.run(context).await,
        Command::Backup(command) => command.run(context).await,
        Command::Export(command) => command.run(context).await,
        Command::Restore(command) => command.run(context).await,
        Command::Config(command) => command.run(context).await,
        Command::Completions(command) => command.run(context).await,
    }
}
