//! The command line.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{
    commands, echo,
    exit::{EXIT_CODES, ExitStatus},
    output::{self, Log},
};

/// Takes work items to merged code: agents think in sandboxes, people decide at a few gates, machinery enforces the rules.
#[derive(Debug, Parser)]
#[command(name = "gatewright", version,
    after_help = EXIT_CODES, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The configuration file [default: ./gatewright.toml, then the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE", env = "GATEWRIGHT_CONFIG")]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Where everything is kept [default: the XDG data directory]
    #[arg(long, global = true, value_name = "DIR", env = "GATEWRIGHT_DATA_DIR", value_parser = directory)]
    pub(crate) data_dir: Option<Utf8PathBuf>,
    /// Print data as JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more (twice: say everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// An empty path would mean the working directory, which nobody means.
fn directory(text: &str) -> Result<Utf8PathBuf, String> {
    if text.is_empty() { Err("the path is empty".to_owned()) } else { Ok(Utf8PathBuf::from(text)) }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole thing in under a minute, with nothing configured
    Demo(commands::demo::Demo),
    /// Look at a repository and write a gatewright.toml that works
    Init(commands::init::Init),
    /// Take work items through a pipeline, in the foreground, to their end
    Run(commands::run::Run),
    /// List, show and steer pipelines
    #[command(subcommand)]
    Pipeline(commands::pipeline::Pipeline),
    /// Show what agents printed
    Logs(commands::logs::Logs),
    /// Show what happened
    Events(commands::events::Events),
    /// List, show and resolve questions to people
    Decisions(commands::decisions::Decisions),
    /// Approve what waits for approval
    Approve(commands::decisions::Approve),
    /// Reject what waits for approval; the reason goes to the agent word for word
    Reject(commands::decisions::Reject),
    /// Show what is queued and what is running
    Queue(commands::queue::Queue),
    /// List, show, deliver, retry and drop what destinations are told
    Outbox(commands::outbox::Outbox),
    /// List gates and run one here
    #[command(subcommand)]
    Gate(commands::gate::Gate),
    /// List, show and check pipeline definitions
    #[command(subcommand)]
    Definition(commands::definition::Definition),
    /// List and check coding agents
    #[command(subcommand)]
    Agents(commands::agents::Agents),
    /// Say what is installed, what is missing, and what mends it
    Doctor(commands::doctor::Doctor),
    /// Write everything that is remembered into one file, also while work is under way
    Backup(commands::backup::Backup),
    /// Bring a backup back, into a data directory that is empty or new
    Restore(commands::restore::Restore),
    /// Write everything about one pipeline as one JSON document
    Export(commands::export::Export),
    /// Show and check the configuration, and print its JSON Schema
    #[command(subcommand)]
    Config(commands::config::Config),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
}

impl Command {
    /// What of the log is shown while it is done.
    pub(crate) const fn log(&self) -> Log {
        match self {
            Self::Queue(_) | Self::Doctor(_) | Self::Export(_) => Log::WithoutDamage,
            Self::Pipeline(command) => command.log(),
            Self::Decisions(command) => command.log(),
            Self::Outbox(command) => command.log(),
            Self::Demo(_)
            | Self::Init(_)
            | Self::Run(_)
            | Self::Logs(_)
            | Self::Events(_)
            | Self::Approve(_)
            | Self::Reject(_)
            | Self::Gate(_)
            | Self::Definition(_)
            | Self::Agents(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Config(_)
            | Self::Completions(_) => Log::Whole,
        }
    }
}

/// Prints what clap has to say, with our exit codes.
pub(crate) fn explain(error: &clap::Error) -> ExitStatus {
    let rendered = error.render().to_string();
    let cut = echo::cut(&rendered);
    if cut == rendered {
        output::note(error.print());
    } else {
        output::say(cut.trim_end());
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::settle(ExitStatus::Success, false)
        }
        _ => ExitStatus::Usage,
    }
}
