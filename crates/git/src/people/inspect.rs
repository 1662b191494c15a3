//! What the people's repository looks like before anything begins.

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::{BranchName, CommitSha};
use ports::GitError;

use crate::{
    MirrorGit,
    command::{Call, Caller},
};

/// Bytes of `git status` that are read: enough to count what a person would look at.
const STATUS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a repository looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its root: the top of the work tree, or the repository itself where it is bare.
    pub root: Utf8PathBuf,
    /// The branch that is checked out; `None` where HEAD is detached.
    pub branch: Option<BranchName>,
    /// The commit that is checked out; `None` where there is none yet.
    pub head: Option<CommitSha>,
    /// Paths with changes that no commit holds.
    pub uncommitted: usize,
    /// Its history was cut off when it was cloned: no mirror can be made of it.
    pub shallow: bool,
}

impl MirrorGit {
    /// Looks at the repository that `dir` is in. Changes nothing, not even the index.
    pub async fn inspect(&self, dir: &Utf8Path) -> Result<Inspection, GitError> {
        let ask =
            |operation: &str| -> Call<'_> { self.runner.git(Caller::Own, operation).dir(dir) };
        let kind = ask("look for a repository").args([
            "rev-parse",
            "--is-bare-repository",
            "--is-shallow-repository",
            "--absolute-git-dir",
        ]);
        let kind = kind.output().await?;
        if kind.code != 0 {
            return Err(GitError::NotARepository { path: dir.to_string() });
        }
        let text = kind.text();
        // The directory is the last: its name may hold anything.
        let mut answers = text.splitn(3, '\n');
        let mut answer = || answers.next().unwrap_or_default();
        let (bare, shallow) = (answer() == "true", answer() == "true");
        let git_dir = answer();
        let root = if bare {
            git_dir.to_owned()
        } else {
            ask("find the top of the work tree")
                .args(["rev-parse", "--show-toplevel"])
                .run()
                .await?
                .text()
        };
        let branch = ask("find the current branch")
            .args(["symbolic-ref", "--quiet", "--short", "HEAD"])
            .output()
            .await?;
        let head = ask("find the current commit")
            .args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .output()
            .await?;
        let uncommitted = if bare {
            0
        } else {
            let status = ask("look for changes")
                .args(["status", "--porcelain", "-z", "--no-renames"])
                .stdout_bytes_max(STATUS_BYTES_MAX);
            status
                .output()
                .await?
                .stdout
                .split(|byte| *byte == 0)
                .filter(|entry| !entry.is_empty())
                .count()
        };
        Ok(Inspection {
            root: Utf8PathBuf::from(root),
            branch: BranchName::new(branch.text()).ok().filter(|_| branch.code == 0),
            head: CommitSha::new(head.text()).ok().filter(|_| head.code == 0),
            uncommitted,
            shallow,
        })
    }
}
