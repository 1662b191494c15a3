//! Exit codes: part of the interface.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// Done; a pipeline was delivered.
    Success,
    /// It waits for a person: an approval, an answer, or something blocked.
    WaitsForPerson,
    /// It failed, or was cancelled.
    Failure,
    /// The command line or a file that people write is wrong.
    Usage,
    /// A fault of ours.
    Internal,
    /// Stopped by Ctrl-C or SIGTERM; the state is kept.
    Interrupted,
}

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done; the work is delivered
    1  failed, cancelled, or something that is needed is missing
    2  the command line or a configuration file is wrong
    3  waits for a person: approve, answer, or settle what is blocked
   70  a fault of ours: please report it
  130  interrupted; the state is kept, `gatewright run --resume ID` goes on";

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Success => 0,
            ExitStatus::Failure => 1,
            ExitStatus::Usage => 2,
            ExitStatus::WaitsForPerson => 3,
            ExitStatus::Internal => 70,
            ExitStatus::Interrupted => 130,
        })
    }
}
