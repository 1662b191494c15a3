//! `gatewright`: the composition root and the command line.
//!
//! A library, so that a binary of the tests can be the very same program with something in the way of its ports.

mod args;
mod called;
mod error;
mod exit;

mod archive;
mod context;
mod echo;
mod holder;
mod output;
mod repository;
mod system;
mod wiring;
mod words;

mod commands;
mod live;

use std::process::ExitCode;

use clap::Parser as _;
use engine::Ports;

use crate::{args::Cli, context::Context, exit::ExitStatus};

/// Runs the command line of this process. The engine works through what `seam` makes of its ports: in the product, they
/// are what they are.
pub fn main(seam: fn(Ports) -> Ports) -> ExitCode {
    // What runs inside sandboxes and under them must not pay for, nor depend on, anything else.
    if let Some(status) = commands::hidden::run_if_asked() {
        return status;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::explain(&error).into(),
    };
    let context = match Context::new(&cli.global, seam) {
        Ok(context) => context,
        Err(error) => return output::fail(&error, cli.global.json).into(),
    };
    called::settle(&context);
    output::start_logging(&cli.global, cli.command.log());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.and_then(|runtime| {
        runtime.block_on(async { system::let_writes_fail() })?;
        Ok(runtime)
    });
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = error::CliError::new(format!("could not start: {error}"))
                .status(ExitStatus::Internal);
            return output::fail(&error, cli.global.json).into();
        }
    };
    let status = match runtime.block_on(commands::run(&context, cli.command)) {
        Ok(status) => status,
        Err(error) => output::fail(&error, cli.global.json),
    };
    let status = output::settle(status, cli.global.json);
    // Reads that hang on a dead disk must not keep us.
    runtime.shutdown_background();
    status.into()
}
