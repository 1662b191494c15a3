//! The directories of one question, below its scratch directory.

use camino::{Utf8Path, Utf8PathBuf};
use ports::SandboxStatus;
use tracing::warn;

use super::Task;
use crate::{judge::Options, obstacle::Obstacle};

/// Where things of a command are.
pub(crate) struct Places {
    scratch: Utf8PathBuf,
    /// The clean checkout: its working directory.
    pub(crate) checkout: Utf8PathBuf,
    /// Its home.
    pub(crate) home: Utf8PathBuf,
    /// The shim's files.
    pub(crate) sandbox: Utf8PathBuf,
}

impl Places {
    pub(crate) fn new(scratch: &Utf8Path) -> Self {
        let below = |name| scratch.join(name);
        Self {
            scratch: scratch.to_owned(),
            checkout: below("checkout"),
            home: below("home"),
            sandbox: below("sandbox"),
        }
    }

    /// Makes them anew: a checkout that a run has touched, or that a crash cut short, is no clean one.
    pub(crate) async fn make(&self, task: &Task<'_>) -> Result<(), Obstacle> {
        self.try_remove(task).await?;
        let io = |source| Obstacle::Io {
            operation: "make the directory",
            path: self.home.clone(),
            source,
        };
        tokio::fs::create_dir_all(&self.home).await.map_err(io)?;
        Ok(task
            .options
            .git
            .checkout(&task.question.project, &task.question.commit, &self.checkout)
            .await?)
    }

    /// Removes them. What cannot be removed now is removed by the next try, or with the pipeline.
    pub(crate) async fn remove(&self, task: &Task<'_>) {
        if let Err(obstacle) = self.try_remove(task).await {
            warn!(gate = %task.question.gate.name, "could not remove {}: {}", self.scratch, obstacle.reason());
        }
    }

    /// Whether a removal has not begun: what the sandbox left is whole.
    pub(crate) async fn are_whole(&self) -> bool {
        tokio::fs::try_exists(&self.checkout).await.unwrap_or(false)
    }

    async fn try_remove(&self, task: &Task<'_>) -> Result<(), Obstacle> {
        if task.options.sandbox.status(&self.sandbox).await? == SandboxStatus::Running {
            return Err(Obstacle::StillRunning { command: task.run.to_owned() });
        }
        self.remove_ended(task.options).await
    }

    /// Ends what is still at work here, and removes everything.
    pub(crate) async fn abandon(&self, options: &Options) -> Result<(), Obstacle> {
        if options.sandbox.status(&self.sandbox).await? == SandboxStatus::Running {
            options.sandbox.stop(&self.sandbox).await?;
            options.sandbox.wait(&self.sandbox).await?;
        }
        self.remove_ended(options).await
    }

    async fn remove_ended(&self, options: &Options) -> Result<(), Obstacle> {
        // The checkout goes first, so that a crash never leaves a record with half its logs that looks whole.
        options.git.remove_workspace(&self.checkout).await?;
        if options.sandbox.status(&self.sandbox).await? != SandboxStatus::Absent {
            options.sandbox.remove(&self.sandbox).await?;
        }
        Ok(options.git.remove_workspace(&self.scratch).await?)
    }
}
