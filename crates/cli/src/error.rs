//! Errors as people see them: what, with the offending value, then what to do.

use std::{error::Error, fmt, io, iter};

use domain::{outbox::LetterRefusal, pipeline::Refusal};
use engine::EngineError;
pub(crate) use engine::chain;
use ports::{AgentError, GitError, SandboxError, StoreError};
use store_sqlite::Unusable;

use crate::{called::gatewright, exit::ExitStatus, holder::Holder};

/// What to do where no more files may be open.
const MORE_FILES: &str =
    "allow more open files, at least 256: `ulimit -n` shows and sets the limit";
/// `EMFILE` and `ENFILE`, which the standard library has no kind for.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

/// An error on its way to a person.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) status: ExitStatus,
    /// A rendered report with lines of a file, printed in place of the message.
    pub(crate) report: Option<String>,
}

impl CliError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, status: ExitStatus::Failure, report: None }
    }

    /// The command line or a file is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(message).status(ExitStatus::Usage)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) const fn status(mut self, status: ExitStatus) -> Self {
        self.status = status;
        self
    }

    /// The same where nothing is said yet that is closer to the cause.
    pub(crate) fn or_help(self, help: &str) -> Self {
        if self.help.is_some() { self } else { self.help(help) }
    }

    fn of(error: &(dyn Error + 'static)) -> Self {
        let of = Self::new(chain(error));
        if has_too_many_files(error) { of.help(MORE_FILES) } else { of }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Whether what an error comes from is that too many files are open.
fn has_too_many_files(error: &(dyn Error + 'static)) -> bool {
    let mut causes = iter::successors(Some(error), |error| (*error).source());
    causes.any(|it| {
        let said = it.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        said.is_some_and(|said| TOO_MANY_FILES.contains(&said))
    })
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Git(error) => error.into(),
            EngineError::Sandbox(error) => error.into(),
            EngineError::UnknownPipeline { .. } => Self::of(&error)
                .help(format!("`{} pipeline list` shows what there is", gatewright())),
            EngineError::Refused(Refusal::CommentMissing { .. }) => {
                Self::usage(chain(&error)).help("give one with --comment or --reason")
            }
            EngineError::Refused(Refusal::NotOffered { .. }) | EngineError::Item(_) => {
                Self::usage(chain(&error))
            }
            EngineError::Refused(Refusal::LongWords { .. })
            | EngineError::Letter(LetterRefusal::LongWords { .. }) => Self::usage(chain(&error))
                .help("say less; what an agent is to read can stand in the repository"),
            EngineError::Letter(
                LetterRefusal::NotDue { .. } | LetterRefusal::NotAllowed { .. },
            ) => Self::of(&error).help(format!(
                "letters that are dead or queued can be retried and dropped: `{} outbox`",
                gatewright()
            )),
            EngineError::NoRoomToKeep { .. } => {
                Self::of(&error).help("free some space; nothing was lost")
            }
            EngineError::UnknownLetter { .. }
            | EngineError::Refused(_)
            | EngineError::MissingDefinition { .. } => Self::of(&error),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let of = Self::of(&error);
        match error {
            StoreError::InUse { holder, .. } => {
                let holder = Holder::look(holder);
                match (holder.obstacle(), holder.pid()) {
                    (Some(obstacle), Some(pid)) => of.help(format!("that process does nothing, since it {obstacle}; ask again once it has ended, or end it: `kill -INT {pid}` keeps everything, and is heard when it goes on")),
                    _ => of.help("one process at a time: wait until it has ended, or end it with Ctrl-C or `kill -INT` and its pid, which keeps everything, and ask again; `run` takes several titles at once"),
                }
            }
            StoreError::NewerSchema { .. } => of.help("use the newer gatewright, or another --data-dir"),
            StoreError::DiskFull { .. } => of.help("free some space; nothing was lost"),
            StoreError::ReadOnly { .. } => of.help("make it writable, or give another --data-dir"),
            StoreError::Inconsistent { .. } => of.help(format!(
                "what is damaged is parked, the rest goes on: `{0} doctor` names it, `{0} export ID` saves what can be read, `{0} restore` brings a backup back",
                gatewright()
            )),
            StoreError::Unusable { .. } => match Unusable::find_in(&error).and_then(mended_by) {
                Some(help) => of.help(help),
                None => of,
            },
            StoreError::Database { .. } | StoreError::Overloaded { .. } => of,
        }
    }
}

/// What to do about a database that cannot be used.
fn mended_by(unusable: &Unusable) -> Option<String> {
    let restore = format!("`{} restore FILE --force`", gatewright());
    match unusable {
        Unusable::Nothing { .. } => None,
        Unusable::Lost { .. } => Some(format!(
            "put the database back, or a backup in its place with {restore}, which keeps aside what is there; to begin anew, move that away"
        )),
        Unusable::NotAFile { .. } | Unusable::NoDatabase { .. } | Unusable::Foreign { .. } => {
            Some(format!(
                "nothing was changed: give another --data-dir, or move it away and bring a backup back with {restore}"
            ))
        }
        Unusable::Changed { .. } => Some(format!(
            "nothing was lost: undo what was changed in its tables, which `{} doctor` names, or bring a backup back with {restore}",
            gatewright()
        )),
        Unusable::Damaged { .. } | Unusable::Cut { .. } => Some(format!(
            "bring a backup back with {restore}, which keeps aside what is there"
        )),
        Unusable::Closed { .. } => Some(
            "give yourself the right to read and write it, and its directory; or give another --data-dir".to_owned(),
        ),
        Unusable::Limited { .. } => Some(format!(
            "nothing was lost: `ulimit -f unlimited` lifts the limit, where it may be lifted; then `{} run --resume all` goes on",
            gatewright()
        )),
    }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let of = Self::of(&error);
        if error.is_full_disk() {
            return of.help("free some space; nothing was lost");
        }
        match error {
            GitError::NotARepository { .. } => of
                .help("name a directory inside of a repository, or run `git init` there first")
                .status(ExitStatus::Usage),
            GitError::Empty { .. } => of
                .help("make a first commit: git commit --allow-empty -m \"first\"")
                .status(ExitStatus::Usage),
            GitError::Moved { .. }
            | GitError::Command { .. }
            | GitError::TimedOut { .. }
            | GitError::Io { .. } => of,
        }
    }
}

impl From<SandboxError> for CliError {
    fn from(error: SandboxError) -> Self {
        Self::of(&error)
    }
}

impl From<AgentError> for CliError {
    fn from(error: AgentError) -> Self {
        let of = Self::of(&error);
        match error {
            AgentError::Missing { install: Some(install), .. } => {
                of.help(format!("install it: {install}"))
            }
            AgentError::Missing { .. } => of.help("install it, or name another agent with --agent"),
            AgentError::Invalid { .. } => of.status(ExitStatus::Usage),
            AgentError::Broken { .. } => {
                of.help(format!("`{} agents check` tries it again", gatewright()))
            }
        }
    }
}
