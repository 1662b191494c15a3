//! Asking a bare repository of ours, and moving its refs.

use std::fmt::Write;

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::{CommitSha, TreeSha};
use ports::GitError;

use crate::{
    command::{Call, Input, Runner},
    revisions,
};

/// A bare repository of ours: a project's mirror, or the throw-away one of a hand-in.
#[derive(Debug)]
pub(crate) struct Mirror<'a> {
    runner: &'a Runner,
    git_dir: Utf8PathBuf,
}

/// A ref that is to be at a commit, wherever it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    /// The full ref.
    pub(crate) reference: String,
    /// Where it is to be.
    pub(crate) commit: CommitSha,
}

impl<'a> Mirror<'a> {
    /// The repository at `git_dir`, which may not be there yet.
    pub(crate) const fn new(runner: &'a Runner, git_dir: Utf8PathBuf) -> Self {
        Self { runner, git_dir }
    }

    /// Begins a call in it.
    pub(crate) fn git(&self, operation: impl Into<String>) -> Call<'a> {
        self.runner.git_in(&self.git_dir, operation)
    }

    /// Where it is.
    pub(crate) fn git_dir(&self) -> &Utf8Path {
        &self.git_dir
    }

    /// Where its objects are.
    pub(crate) fn objects_dir(&self) -> Utf8PathBuf {
        self.git_dir.join("objects")
    }

    /// The commit that a revision names, if it names one.
    pub(crate) async fn find_commit(&self, revision: &str) -> Result<Option<CommitSha>, GitError> {
        let operation = format!("look up `{revision}`");
        let wanted = format!("{revision}^{{commit}}");
        let output = self
            .git(&operation)
            .args(["rev-parse", "--quiet", "--verify", "--end-of-options", &wanted])
            .output()
            .await?;
        match output.code {
            0 => revisions::commit(&operation, &output.text()).map(Some),
            1 => Ok(None),
            _ => Err(GitError::Command { operation, stderr: output.short_stderr() }),
        }
    }

    /// The tree of a commit.
    pub(crate) async fn load_tree(&self, commit: &CommitSha) -> Result<TreeSha, GitError> {
        let operation = format!("look up the tree of {}", commit.short());
        let output = self
            .git(&operation)
            .args(["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
            .run()
            .await?;
        revisions::tree(&operation, &output.text())
    }

    /// Whether `ancestor` is `descendant` or reachable from it.
    pub(crate) async fn is_ancestor(
        &self,
        ancestor: &CommitSha,
        descendant: &CommitSha,
    ) -> Result<bool, GitError> {
        let operation = format!("compare {} with {}", ancestor.short(), descendant.short());
        let args = ["merge-base", "--is-ancestor", ancestor.as_str(), descendant.as_str()];
        let output = self.git(&operation).args(args).output().await?;
        match output.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(GitError::Command { operation, stderr: output.short_stderr() }),
        }
    }

    /// Sets refs, all or none.
    pub(crate) async fn set_refs(&self, updates: &[RefUpdate]) -> Result<(), GitError> {
        if updates.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for RefUpdate { reference, commit } in updates {
            // Writing to a string cannot fail.
            writeln!(lines, "update {reference} {commit}").ok();
        }
        let call = self.git("keep commits").args(["update-ref", "--stdin"]);
        call.input(Input::Bytes(lines.into_bytes())).run().await.map(drop)
    }

    /// Keeps a commit that is on no branch from being collected as garbage.
    pub(crate) async fn keep(&self, kind: &str, commit: &CommitSha) -> Result<(), GitError> {
        let reference = format!("refs/gatewright/{kind}/{commit}");
        self.set_refs(&[RefUpdate { reference, commit: commit.clone() }]).await
    }
}
