//! `gatewright completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{args::Cli, context::Context, error::CliError, exit::ExitStatus, output};

/// Print completions for a shell
///
/// For example: gatewright completions bash > ~/.local/share/bash-completion/completions/gatewright
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unused_async, reason = "every command is run the same way")]
    pub(crate) async fn run(&self, _context: &Context) -> Result<ExitStatus, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gatewright", &mut script);
        output::data(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitStatus::Success)
    }
}
