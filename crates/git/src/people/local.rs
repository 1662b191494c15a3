//! A repository of the people on this machine.

use camino::Utf8Path;
use domain::revision::{BranchName, CommitSha};
use ports::GitError;

use crate::{
    MirrorGit,
    command::{Call, Caller},
    mirror::Mirror,
    revisions,
};

/// The repository at a path: bare, with a work tree, or one of its linked work trees.
#[derive(Debug)]
pub(super) struct LocalRepository<'a> {
    git: &'a MirrorGit,
    path: &'a Utf8Path,
}

impl<'a> LocalRepository<'a> {
    /// The repository at `path`.
    pub(super) const fn new(git: &'a MirrorGit, path: &'a Utf8Path) -> Self {
        Self { git, path }
    }

    /// Begins a call in it. A directory inside a repository is not taken for the repository.
    pub(super) fn git(&self, operation: impl Into<String>) -> Call<'a> {
        let resolved = self.path.canonicalize_utf8().unwrap_or_else(|_| self.path.to_owned());
        let above = resolved.parent().unwrap_or(&resolved).to_owned();
        self.git
            .runner
            .git(Caller::Own, operation)
            .dir(self.path)
            .variable("GIT_CEILING_DIRECTORIES", above)
    }

    /// The commit of one of its branches.
    pub(super) async fn find_branch(
        &self,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        if !self.path.is_dir() {
            return Err(GitError::NotARepository { path: self.path.to_string() });
        }
        let operation = format!("look up `{branch}` in the repository");
        let wanted = format!("{}^{{commit}}", branch.full_ref());
        let output = self
            .git(&operation)
            .args(["rev-parse", "--quiet", "--verify", &wanted])
            .output()
            .await?;
        match output.code {
            0 => revisions::commit(&operation, &output.text()).map(Some),
            1 => Ok(None),
            _ if output.stderr.contains("not a git repository") => {
                Err(GitError::NotARepository { path: self.path.to_string() })
            }
            _ => Err(GitError::Command { operation, stderr: output.short_stderr() }),
        }
    }

    /// Whether `descendant` is or contains `ancestor`; no, where the repository does not have one of them.
    pub(super) async fn contains(
        &self,
        descendant: &CommitSha,
        ancestor: &CommitSha,
    ) -> Result<bool, GitError> {
        let args = ["merge-base", "--is-ancestor", ancestor.as_str(), descendant.as_str()];
        Ok(self.git("compare commits").args(args).output().await?.code == 0)
    }

    /// Brings a commit of the mirror into it, on no branch.
    pub(super) async fn receive(
        &self,
        mirror: &Mirror<'_>,
        commit: &CommitSha,
    ) -> Result<(), GitError> {
        let call = self.git(format!("bring {} into the repository", commit.short()));
        let call = call.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
        ]);
        let call = call
            .arg("--no-auto-maintenance")
            .arg(format!("--upload-pack={}", self.git.runner.upload_pack()));
        call.args(["--", mirror.git_dir().as_str(), commit.as_str()]).run().await.map(drop)
    }

    /// Moves a branch if it is where it should be. The answer is git's complaint where it is not.
    pub(super) async fn move_branch(
        &self,
        branch: &BranchName,
        from: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<Result<(), String>, GitError> {
        let expected = from.map_or("", CommitSha::as_str);
        let call = self.git(format!("move `{branch}`")).args(["update-ref", "-m", "gatewright"]);
        let output = call.args([&branch.full_ref(), to.as_str(), expected]).output().await?;
        Ok(if output.code == 0 { Ok(()) } else { Err(output.short_stderr()) })
    }

    /// Moves the branch of a work tree forward together with its files. Git refuses where that would overwrite
    /// something; the answer is its complaint.
    ///
    /// As the people would do it: line endings and large-file filters are set up below their home.
    pub(super) async fn fast_forward(
        &self,
        worktree: &Utf8Path,
        to: &CommitSha,
    ) -> Result<Result<(), String>, GitError> {
        let call = self.git.runner.git(Caller::People, format!("update the work tree {worktree}"));
        let call = call.dir(worktree).args(["merge", "--ff-only", "--no-stat", "--no-autostash"]);
        let output = call.args(["--no-verify-signatures", "--quiet", to.as_str()]).output().await?;
        Ok(if output.code == 0 { Ok(()) } else { Err(output.stderr) })
    }
}
