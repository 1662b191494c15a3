//! What keeps a gate from answering. None of it is the commit's fault.

use std::{error::Error, fmt::Write as _};

use camino::Utf8PathBuf;
use domain::{failure::speaks_of_a_full_disk, path_rules::PatternError};
use ports::{GateError, GitError, SandboxError, is_full_disk};

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    /// The gate is a person's.
    #[error("a person approves, not a program")]
    AsksAPerson,
    /// Git did not say what is in the commit.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The command could not be run.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The gate names files with a pattern that is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The command's shell never ran.
    #[error("`{command}` could not be started: {message}")]
    NotStarted {
        /// The command.
        command: String,
        /// What the system said.
        message: String,
    },
    /// Nobody knows how the command ended.
    #[error("the sandbox of `{command}` vanished without a word of how it ended")]
    Vanished {
        /// The command.
        command: String,
    },
    /// Somebody ended the command.
    #[error("`{command}` was stopped before it had ended")]
    Stopped {
        /// The command.
        command: String,
    },
    /// What the command uses cannot be removed.
    #[error("`{command}` still runs")]
    StillRunning {
        /// The command.
        command: String,
    },
    /// A file was more than its parser could bear.
    #[error("`{path}` could not be parsed")]
    Parser {
        /// The file.
        path: String,
        /// How the parser went down.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The file system refused.
    #[error("could not {operation} {path}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Where.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Obstacle {
    /// The port's error, for the gate of that name.
    pub(crate) fn of_gate(&self, gate: String) -> GateError {
        GateError { gate, reason: self.reason(), is_full_disk: self.is_full_disk() }
    }

    /// Whether the system said that a disk is full. What a command says of itself is not the system's word.
    fn is_full_disk(&self) -> bool {
        match self {
            Self::Git(error) => error.is_full_disk(),
            Self::Sandbox(error) => error.is_full_disk(),
            Self::Io { source, .. } => is_full_disk(source),
            Self::NotStarted { message, .. } => speaks_of_a_full_disk(message),
            Self::AsksAPerson
            | Self::Pattern(_)
            | Self::Vanished { .. }
            | Self::Stopped { .. }
            | Self::StillRunning { .. }
            | Self::Parser { .. } => false,
        }
    }

    /// The whole chain of reasons, for a person.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            write!(reason, ": {error}").expect("writing to a string works");
            source = error.source();
        }
        reason
    }
}
