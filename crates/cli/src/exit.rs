//! Exit codes: part of the interface.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// Done; a pipeline was delivered.
    Success,
    /// It waits for a person: an approval, an answer, something blocked, or a letter that nobody tries to deliver any more.
    WaitsForPerson,
    /// It failed, or was cancelled.
    Failure,
    /// The command line or a file that people write is wrong.
    Usage,
    /// A fault of ours.
    Internal,
    /// Stopped by Ctrl-C, SIGTERM or SIGHUP; the state is kept. Never the code of a signal (143) nor 0: whoever waits
    /// for a foreground command learns that its work may not be done, and can be gone on with. One rule: it ends so
    /// wherever it heard the signal, also where nothing was left to do.
    Interrupted,
}

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done; the work is delivered
    1  failed, cancelled, or something that is needed is missing
    2  the command line or a configuration file is wrong
    3  waits for a person: approve, answer, or settle what is blocked; of `outbox deliver`
       and `run --resume all` also: a letter is dead
   70  a fault of ours: please report it
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP; the state is kept, and
       `gatewright run --resume ID` goes on (`--resume all`: with everything)";

impl ExitStatus {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::WaitsForPerson => 3,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
