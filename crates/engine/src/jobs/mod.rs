//! What workers do, a kind of work a file. Everything here may run twice: each step finds what an earlier try left.

mod agent;
mod cleanup;
mod gate;
mod repository;
mod secrets;
mod turns;

use domain::{
    failure::{Failure, FailureClass},
    job::{Job, Work},
    pipeline::Report,
    run::Run,
};
use ports::{GateError, GitError, SandboxError};
pub(crate) use repository::TAKEN_IN;
use tokio::sync::watch;
pub(crate) use turns::WorkspaceTurns;

use crate::{Engine, EngineError, chain, worker::Interrupt};

/// What came of a job.
pub(crate) struct Performed {
    pub(crate) ending: Ending,
    /// The run that ended with it: saved in the same transaction.
    pub(crate) run: Option<Run>,
}

/// How a job ended.
pub(crate) enum Ending {
    /// It has its result.
    Report(Report),
    /// It has none.
    Failed { failure: Failure },
    /// The engine stops in good order: the job goes back to the queue, nothing is counted.
    Released { reason: String },
    /// It is not ours any more, or was left to the next engine: nothing is reported.
    Abandoned,
}

impl Performed {
    fn report(report: Report) -> Self {
        Self { ending: Ending::Report(report), run: None }
    }

    fn failed(failure: Failure) -> Self {
        Self { ending: Ending::Failed { failure }, run: None }
    }

    /// What became of the agent was counted when its job was taken back: the same blow does not count twice.
    fn lost_once(self) -> Self {
        match self.ending {
            Ending::Failed { failure } if failure.class == FailureClass::Lost => {
                Self { ending: Ending::Released { reason: failure.message }, ..self }
            }
            ending => Self { ending, ..self },
        }
    }

    fn interrupted(interrupt: Interrupt) -> Self {
        let ending = match interrupt {
            Interrupt::Stopping(_) => {
                Ending::Released { reason: "the orchestrator was stopped".to_owned() }
            }
            Interrupt::Cancelled | Interrupt::Lost => Ending::Abandoned,
        };
        Self { ending, run: None }
    }

    /// A panic in our own code: a failure of this job alone.
    pub(crate) fn internal_error(error: &tokio::task::JoinError) -> Self {
        tracing::error!("a job ended with an internal error: {error}");
        Self::failed(Failure::new(
            FailureClass::Permanent,
            format!("internal error, please report it: {error}"),
        ))
    }
}

/// Why a job could not even try.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The workspace is as its agent left it, and cannot be worked with.
    #[error("{message}")]
    Workspace { message: String },
    /// Something of ours, and what it runs, had no room on a disk.
    #[error("{message}")]
    FullDisk { message: String },
    #[error("{message}")]
    Other { class: FailureClass, message: String },
}

impl From<ports::StoreError> for JobError {
    fn from(error: ports::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl JobError {
    fn permanent(message: impl Into<String>) -> Self {
        Self::Other { class: FailureClass::Permanent, message: message.into() }
    }

    /// Whether it is about a sandbox that only a newer version understands.
    const fn is_of_a_newer_version(&self) -> bool {
        matches!(
            self,
            Self::Sandbox(SandboxError::Newer { .. })
                | Self::Engine(EngineError::Sandbox(SandboxError::Newer { .. }))
        )
    }

    /// Whether the system said that a disk is full. Words that only come along in a message, such as those of a title
    /// or of a file's name, are not the system's. A store without room goes on by itself as soon as there is some.
    pub(crate) fn is_full_disk(&self) -> bool {
        match self {
            Self::FullDisk { .. } | Self::Engine(EngineError::NoRoomToKeep { .. }) => true,
            Self::Git(error) | Self::Engine(EngineError::Git(error)) => error.is_full_disk(),
            Self::Sandbox(error) | Self::Engine(EngineError::Sandbox(error)) => {
                error.is_full_disk()
            }
            Self::Engine(_) | Self::Workspace { .. } | Self::Other { .. } => false,
        }
    }

    fn failure(&self) -> Failure {
        let words = chain(self);
        if self.is_full_disk() {
            return Failure::full_disk(&words);
        }
        let class = match self {
            // The store or the disk is unwell, not the work.
            Self::Engine(EngineError::Store(_))
            | Self::Git(GitError::TimedOut { .. } | GitError::Moved { .. }) => {
                FailureClass::Transient
            }
            Self::Git(GitError::Io { .. })
            | Self::Sandbox(SandboxError::Io { .. })
            | Self::FullDisk { .. } => FailureClass::Resource,
            Self::Other { class, .. } => *class,
            Self::Engine(_) | Self::Git(_) | Self::Sandbox(_) | Self::Workspace { .. } => {
                FailureClass::Permanent
            }
        };
        Failure::new(class, words)
    }
}

fn gate_error(error: &GateError) -> JobError {
    let message = error.to_string();
    if error.is_full_disk { JobError::FullDisk { message } } else { JobError::permanent(message) }
}

impl Engine {
    /// Does a job, or finds that it was done.
    pub(crate) async fn perform(
        &self,
        job: &Job,
        signal: watch::Receiver<Option<Interrupt>>,
    ) -> Performed {
        let result = match &job.slot.work {
            Work::Agent { role } => self.run_agent(job, role, signal).await,
            Work::Gate { gate } => self.ask_gate(job, gate, signal).await,
            Work::Cleanup => self.clean_up(job, signal).await,
            Work::Open => self.open_repository(job).await,
            Work::Intake => self.take_in(job).await,
            Work::Join => self.join_wave(job).await,
            Work::Integrate => self.integrate(job).await,
            Work::Land => self.land(job).await,
            Work::Publish => self.publish(job).await,
        };
        let performed = match result {
            Ok(performed) => performed,
            Err(error) if error.is_of_a_newer_version() => self.leave_to_newer(job, &error).await,
            Err(JobError::Engine(error)) if error.is_damage() => {
                self.park(job.pipeline, &error).await;
                Performed { ending: Ending::Abandoned, run: None }
            }
            Err(error) => Performed::failed(error.failure()),
        };
        secrets::hide_in(&self.secrets(), performed)
    }

    /// Parks the pipeline of a job whose agent only a newer version can take up: it is neither stopped nor started
    /// again, and costs nothing. Whoever resumes the pipeline finds it.
    async fn leave_to_newer(&self, job: &Job, error: &JobError) -> Performed {
        let reason = chain(error);
        tracing::error!(job.id = %job.id, pipeline.id = %job.pipeline, "{reason}");
        match self.set_aside(job.pipeline).await {
            // Somebody was faster, and it waits already.
            Ok(_) | Err(EngineError::Refused(_)) => {
                Performed { ending: Ending::Released { reason }, run: None }
            }
            Err(error) => Performed::failed(JobError::Engine(error).failure()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use ports::StoreError;

    use super::*;

    const SAID: &str = "fatal: write error: No space left on device";

    fn io_error(kind: io::ErrorKind) -> GitError {
        let (operation, path) = ("keep a hand-in", "/data/mirrors".into());
        GitError::Io { operation, path, source: io::Error::from(kind) }
    }

    /// Who quotes the words of the system is not the system, and a store that has no room costs nobody a try.
    #[test]
    fn a_full_disk_is_believed_of_the_system_and_of_git_alone() {
        let said = || SAID.to_owned();
        let cases: [(JobError, FailureClass, bool); 8] = [
            (io_error(io::ErrorKind::StorageFull).into(), FailureClass::Resource, true),
            (io_error(io::ErrorKind::QuotaExceeded).into(), FailureClass::Resource, true),
            (io_error(io::ErrorKind::PermissionDenied).into(), FailureClass::Resource, false),
            (
                GitError::Command { operation: "sync".to_owned(), stderr: said() }.into(),
                FailureClass::Resource,
                true,
            ),
            (
                GitError::TimedOut { operation: said(), seconds: 60 }.into(),
                FailureClass::Transient,
                false,
            ),
            (
                StoreError::Database {
                    operation: "write",
                    source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
                }
                .into(),
                FailureClass::Transient,
                false,
            ),
            (JobError::permanent(said()), FailureClass::Permanent, false),
            (JobError::Workspace { message: said() }, FailureClass::Permanent, false),
        ];
        for (error, class, is_full) in cases {
            let failure = error.failure();
            assert_eq!(failure.class, class, "{error:?}");
            assert_eq!(failure.message.contains("the disk is full"), is_full, "{error:?}");
        }
    }
}
