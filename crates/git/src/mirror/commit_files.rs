//! Committing files without a work tree.

use std::{fmt::Write, fs};

use domain::revision::CommitSha;
use jiff::Timestamp;
use ports::{FileWrite, GitError, ProjectRef};

use super::Mirror;
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Input,
    commit::NewCommit,
    revisions,
    scratch::Scratch,
};

/// Commits `files` on top of `parent`, by our author at `at`.
pub(crate) async fn commit_files(
    git: &MirrorGit,
    project: &ProjectRef,
    parent: &CommitSha,
    files: &[FileWrite],
    message: &str,
    at: Timestamp,
) -> Result<CommitSha, GitError> {
    let mirror = git.mirror(project);
    let scratch = write_contents(git, files).await?;
    let objects = hash(&mirror, &scratch, files.len()).await?;
    let index = scratch.path().join("index");
    let call = || mirror.git("commit files").variable("GIT_INDEX_FILE", index.as_str());
    call().args(["read-tree", parent.as_str()]).run().await?;
    let call_update = call().args(["update-index", "-z", "--replace", "--index-info"]);
    let entries = entries(files, &objects).into_bytes();
    let output = call_update.input(Input::Bytes(entries)).output().await?;
    // A path that git does not take, such as one in `.git`, is left out with no more than a word.
    if output.code != 0 || !output.stderr.is_empty() {
        let operation = "commit files".to_owned();
        return Err(GitError::Command { operation, stderr: output.short_stderr() });
    }
    let output = call().arg("write-tree").run().await?;
    let tree = revisions::tree("commit files", &output.text())?;
    let who = git.author.line(at);
    let commit = NewCommit {
        tree: &tree,
        parents: &[parent],
        author: &who,
        committer: &who,
        encoding: None,
        message: message.as_bytes(),
    };
    let commit = commit.write(&mirror).await?;
    // It is on no branch, and a backup of the mirror has what is reached from a ref.
    mirror.keep("files", &commit).await?;
    Ok(commit)
}

/// Writes the files' contents, each named after its place in the list.
async fn write_contents(git: &MirrorGit, files: &[FileWrite]) -> Result<Scratch, GitError> {
    let drops = git.drops_dir();
    let failed = io_error("write files to be committed", &drops);
    let contents: Vec<Vec<u8>> = files.iter().map(|it| it.content.clone()).collect();
    let write = move || {
        let scratch = Scratch::create(&drops, "commit-")?;
        for (number, content) in contents.iter().enumerate() {
            fs::write(scratch.path().join(number.to_string()), content)?;
        }
        Ok(scratch)
    };
    blocking(write).await.map_err(failed)
}

/// Writes the blobs, all in one process.
async fn hash(
    mirror: &Mirror<'_>,
    scratch: &Scratch,
    count: usize,
) -> Result<Vec<String>, GitError> {
    let mut paths = String::new();
    for number in 0..count {
        // Writing to a string cannot fail.
        writeln!(paths, "{number}").ok();
    }
    let call = mirror.git("commit files").dir(scratch.path());
    let call = call.args(["hash-object", "-w", "--no-filters", "--stdin-paths"]);
    let output = call.input(Input::Bytes(paths.into_bytes())).run().await?;
    Ok(output.text().lines().map(ToOwned::to_owned).collect())
}

fn entries(files: &[FileWrite], objects: &[String]) -> String {
    let mut entries = String::new();
    for (file, object) in files.iter().zip(objects) {
        // Writing to a string cannot fail.
        write!(entries, "100644 {object}\t{}\0", file.path).ok();
    }
    entries
}
