//! Makes a new repository with one commit: what a demonstration begins with.

use camino::Utf8Path;
use domain::revision::{BranchName, CommitSha};
use ports::GitError;

use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Caller,
};

/// A file of a new repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedFile {
    /// Its path, relative to the root.
    pub path: String,
    /// Its content.
    pub content: String,
    /// It can be run.
    pub executable: bool,
}

impl MirrorGit {
    /// Makes a repository with a work tree in the new directory `dir`, with `files` as the first commit of `branch`.
    pub async fn seed(
        &self,
        dir: &Utf8Path,
        branch: &BranchName,
        files: Vec<SeedFile>,
    ) -> Result<CommitSha, GitError> {
        let place = dir.to_owned();
        blocking(move || write_files(&place, &files)).await?;
        let git = |operation: &str| self.runner.git(Caller::Own, operation).dir(dir);
        git("make a repository")
            .args(["init", "--quiet", "--template=", "--initial-branch", branch.as_str()])
            .run()
            .await?;
        git("add the first files").args(["add", "--all"]).run().await?;
        let (name, email) = (self.author.name.clone(), self.author.email.clone());
        let commit = git("make the first commit").args([
            "commit",
            "--quiet",
            "--no-gpg-sign",
            "--message",
            "First commit",
        ]);
        let commit = commit
            .variable("GIT_AUTHOR_NAME", name.clone())
            .variable("GIT_AUTHOR_EMAIL", email.clone());
        commit
            .variable("GIT_COMMITTER_NAME", name)
            .variable("GIT_COMMITTER_EMAIL", email)
            .run()
            .await?;
        let head = git("find the first commit").args(["rev-parse", "HEAD"]).run().await?.text();
        CommitSha::new(head).map_err(|error| GitError::Command {
            operation: "find the first commit".to_owned(),
            stderr: error.to_string(),
        })
    }
}

fn write_files(dir: &Utf8Path, files: &[SeedFile]) -> Result<(), GitError> {
    use std::os::unix::fs::PermissionsExt as _;

    for SeedFile { path, content, executable } in files {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io_error("make a directory", parent))?;
        }
        std::fs::write(&path, content).map_err(io_error("write a file", &path))?;
        if *executable {
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, mode)
                .map_err(io_error("make a file executable", &path))?;
        }
    }
    Ok(())
}
