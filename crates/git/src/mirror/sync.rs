//! Bringing the mirror up to date with the people's repository.

use std::{fs, io, time::Duration};

use camino::Utf8Path;
use ports::{GitError, ProjectRef};

use super::Mirror;
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::{Call, Output},
    layout::{Head, NewRepository, ObjectFormat},
    people::Repository,
    scratch::Scratch,
};

/// Tries of a fetch that meets another git's lock.
const TRIES: u32 = 6;
/// First pause before the next try; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// Fetches every branch of the people's repository, forgets those that are gone, and leaves ours alone.
pub(crate) async fn sync(git: &MirrorGit, project: &ProjectRef) -> Result<(), GitError> {
    let repository = Repository::parse(&project.repository);
    let mirror = git.mirror(project);
    let _only_one = git.locks.lock(mirror.git_dir().as_str()).await;
    if !mirror.git_dir().exists() {
        create(git, &repository, &mirror).await?;
    }
    fetch(git, &repository, &mirror).await?;
    let args = ["for-each-ref", "--count=1", "refs/remotes/origin/"];
    let output = mirror.git("look for branches").args(args).run().await?;
    if output.stdout.is_empty() { Err(repository.empty()) } else { Ok(()) }
}

/// Makes the mirror. How the people's repository names objects can only be seen from a branch.
async fn create(
    git: &MirrorGit,
    repository: &Repository,
    mirror: &Mirror<'_>,
) -> Result<(), GitError> {
    let call = repository
        .reach(git, "list the branches of the repository", None)
        .args(["ls-remote", "--heads"]);
    let call = repository.pack_with(git, call).arg("--").arg(repository.address());
    let output = call.output().await?;
    check(repository, "list the branches of the repository", &output)?;
    let text = output.text();
    let Some((object_id, _)) = text.split_once('\t') else {
        return Err(repository.empty());
    };
    let format = ObjectFormat::of(object_id);
    let (git_dir, drops) = (mirror.git_dir().to_owned(), git.drops_dir());
    let failed = io_error("create the mirror", &git_dir);
    blocking(move || create_bare(&git_dir, &drops, format)).await.map_err(failed)
}

/// Built elsewhere and renamed, so that a mirror is whole or absent.
pub(super) fn create_bare(
    git_dir: &Utf8Path,
    drops: &Utf8Path,
    format: ObjectFormat,
) -> io::Result<()> {
    let scratch = Scratch::create(drops, "mirror-")?;
    let built = scratch.path().join("git");
    NewRepository {
        git_dir: built.clone(),
        format,
        head: Head::Unborn,
        borrowed: None,
        author: None,
    }
    .create()?;
    fs::create_dir_all(git_dir.parent().unwrap_or(drops))?;
    match fs::rename(&built, git_dir) {
        // Another process was faster; both are the same.
        Err(_) if git_dir.is_dir() => Ok(()),
        renamed => renamed,
    }
}

async fn fetch(
    git: &MirrorGit,
    repository: &Repository,
    mirror: &Mirror<'_>,
) -> Result<(), GitError> {
    let operation = "fetch the branches of the repository";
    let mut pause = PAUSE;
    let mut tries_left = TRIES;
    loop {
        let output = fetch_call(git, repository, mirror, operation).output().await?;
        tries_left -= 1;
        if output.code == 0 || tries_left == 0 || !is_contended(&output.stderr) {
            return check(repository, operation, &output);
        }
        tracing::debug!("the mirror {} is locked by another git", mirror.git_dir());
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn fetch_call<'a>(
    git: &'a MirrorGit,
    repository: &Repository,
    mirror: &Mirror<'_>,
    operation: &str,
) -> Call<'a> {
    let call = repository.reach(git, operation, Some(mirror.git_dir()));
    let call = call.args(["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head"]);
    let call = call.args(["--no-recurse-submodules", "--no-auto-maintenance"]);
    repository
        .pack_with(git, call)
        .arg("--")
        .arg(repository.address())
        .arg("+refs/heads/*:refs/remotes/origin/*")
}

fn is_contended(stderr: &str) -> bool {
    stderr.contains("cannot lock ref")
        || (stderr.contains(".lock'") && stderr.contains("File exists"))
}

fn check(repository: &Repository, operation: &str, output: &Output) -> Result<(), GitError> {
    let stderr = &output.stderr;
    if output.code == 0 {
        Ok(())
    } else if stderr.contains("does not appear to be a git repository")
        || stderr.contains("not a git repository")
    {
        Err(GitError::NotARepository { path: repository.address().to_owned() })
    } else {
        Err(GitError::Command { operation: operation.to_owned(), stderr: output.short_stderr() })
    }
}
