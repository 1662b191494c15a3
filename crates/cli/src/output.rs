//! Data to standard output, words to standard error.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use serde::Serialize;
use tracing_subscriber::{EnvFilter, fmt};

use crate::{args::Global, echo, error::CliError, exit::ExitStatus, words};

/// What kept data from being written. Commands print in many places and go on: what was begun is ended, and then it is
/// told once, by [`settle`].
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line of data.
pub(crate) fn data(line: impl std::fmt::Display) {
    note(writeln!(io::stdout(), "{line}"));
}

/// Notes what became of a write to standard output.
pub(crate) fn note(written: io::Result<()>) {
    match written {
        // A reader that has gone away wants no more of it.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // The first says why.
            let _first = LOST.set(error);
        }
        Ok(()) | Err(_) => {}
    }
}

/// What becomes of the exit code where data could not be written: whoever reads it must not take less for everything.
pub(crate) fn settle(status: ExitStatus, as_json: bool) -> ExitStatus {
    note(io::stdout().flush());
    let Some(error) = LOST.get() else { return status };
    let told = fail(&lost(error), as_json);
    match status {
        ExitStatus::Success | ExitStatus::WaitsForPerson => told,
        ExitStatus::Failure
        | ExitStatus::Usage
        | ExitStatus::Internal
        | ExitStatus::Interrupted => status,
    }
}

fn lost(error: &io::Error) -> CliError {
    let said = CliError::new(format!("could not write to standard output: {error}"));
    said.help(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "what was printed is not whole: free some space, or send it elsewhere, and ask again"
        }
        io::ErrorKind::FileTooLarge => {
            "what was printed is not whole: `ulimit -f` shows and sets how long a file may be"
        }
        _ => "what was printed is not whole: send it elsewhere, and ask again",
    })
}

/// Prints a line of words for people.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _closed = writeln!(io::stderr(), "{line}");
}

/// Prints a warning.
pub(crate) fn warn(line: impl std::fmt::Display) {
    say(format_args!("warning: {}", words::safe(&line.to_string())));
}

/// Prints one JSON document.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => data(text),
        Err(error) => say(format_args!("error: could not write JSON: {error}")),
    }
}

/// Prints one JSON document on one line.
pub(crate) fn json_line(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => data(text),
        Err(error) => say(format_args!("error: could not write JSON: {error}")),
    }
}

/// Whether people watch.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Prints an error the way all errors are printed.
pub(crate) fn fail(error: &CliError, as_json: bool) -> ExitStatus {
    if let (Some(report), false) = (&error.report, as_json) {
        say(report);
        return error.status;
    }
    if as_json {
        let body = serde_json::json!({ "error": echo::cut(&error.message), "help": error.help });
        say(body);
        return error.status;
    }
    // Values from the outside are in them.
    say(format_args!("error: {}", words::safe(&echo::cut(&error.message))));
    help(error);
    error.status
}

/// Prints what an error says to do about it.
pub(crate) fn help(error: &CliError) {
    if let Some(help) = &error.help {
        say(format_args!("help: {}", words::safe(help)));
    }
}

/// Which lines of the log are shown as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// All of the level that was asked for.
    Whole,
    /// The same without damaged rows, for commands that name them themselves, with what to do.
    WithoutDamage,
}

pub(crate) fn start_logging(global: &Global, log: Log) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = match log {
        Log::WithoutDamage if global.verbose == 0 => {
            EnvFilter::new(format!("{level},{}=off", store_sqlite::DAMAGE_TARGET))
        }
        Log::WithoutDamage | Log::Whole => EnvFilter::new(level),
    };
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(is_terminal())
        .finish();
    // Only the first call counts; there is one.
    let _set = tracing::subscriber::set_global_default(subscriber);
}
