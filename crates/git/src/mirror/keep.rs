//! Mirrors as files that can be carried away, and back.
//!
//! A bundle holds every ref and what it reaches as of one moment, whatever another process does to the mirror
//! meanwhile. Commits of pipelines that have not ended are nowhere else.

use std::{fs, io, io::BufRead as _};

use camino::Utf8Path;
use domain::{name::ProjectKey, revision::CommitSha};
use ports::{GitError, ProjectRef};

use super::{id_lines, sync::create_bare};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Input,
    layout::ObjectFormat,
};

/// The refs of a mirror: theirs, ours, and what is on no branch.
const REFS: [&str; 3] = ["refs/heads/", "refs/remotes/origin/", "refs/gatewright/"];
/// Bytes of the first line of a bundle that are looked at.
const LINE_BYTES_MAX: u64 = 64;

impl MirrorGit {
    /// The projects that have a mirror, by key.
    pub async fn list_mirrors(&self) -> Result<Vec<ProjectKey>, GitError> {
        let dir = self.mirrors_dir();
        let failed = io_error("list the mirrors", &dir);
        let place = dir.clone();
        blocking(move || list(&place)).await.map_err(failed)
    }

    /// Writes a mirror into a file. Says whether there was anything in it: a bundle of nothing cannot be.
    pub async fn pack_mirror(&self, key: &ProjectKey, file: &Utf8Path) -> Result<bool, GitError> {
        let mirror = self.mirror(&reference(key));
        let any = ["for-each-ref", "--count=1"];
        if mirror.git("look for branches").args(any).run().await?.stdout.is_empty() {
            return Ok(false);
        }
        let operation = format!("pack the mirror of {key}");
        let args = ["bundle", "create", "--quiet", file.as_str(), "--all"];
        mirror.git(operation).args(args).run().await?;
        Ok(true)
    }

    /// Makes a mirror that is not there yet of such a file. Refs that a mirror does not have are left out.
    pub async fn unpack_mirror(&self, key: &ProjectKey, file: &Utf8Path) -> Result<(), GitError> {
        let mirror = self.mirror(&reference(key));
        let operation = format!("unpack the mirror of {key}");
        let (git_dir, drops, bundle) =
            (mirror.git_dir().to_owned(), self.drops_dir(), file.to_owned());
        let failed = io_error("create the mirror", &git_dir);
        blocking({
            let git_dir = git_dir.clone();
            move || create_bare(&git_dir, &drops, format_of(&bundle)?)
        })
        .await
        .map_err(failed)?;
        let call = mirror.git(&operation).args(["fetch", "--quiet", "--no-tags"]);
        let call =
            call.args(["--no-write-fetch-head", "--no-auto-maintenance", "--", file.as_str()]);
        call.args(REFS.map(|refs| format!("+{refs}*:{refs}*"))).run().await?;
        let check = ["fsck", "--connectivity-only", "--no-dangling", "--no-progress"];
        mirror.git(operation).args(check).run().await.map(drop)
    }

    /// Those of some commits that a mirror does not have.
    pub async fn list_missing(
        &self,
        key: &ProjectKey,
        commits: &[CommitSha],
    ) -> Result<Vec<CommitSha>, GitError> {
        let ids: Vec<&str> = commits.iter().map(CommitSha::as_str).collect();
        let mirror = self.mirror(&reference(key));
        let call = mirror.git("look for commits").args(["cat-file", "--batch-check=%(objecttype)"]);
        let output = call.input(Input::Bytes(id_lines(&ids))).run().await?.text();
        // An answer for each, in the order of the question. What is not answered is not there.
        let answers = output.lines().chain(std::iter::repeat(""));
        let missing = commits.iter().zip(answers).filter(|(_, answer)| *answer != "commit");
        Ok(missing.map(|(commit, _)| commit.clone()).collect())
    }
}

/// Where the people's repository is does not matter here.
fn reference(key: &ProjectKey) -> ProjectRef {
    ProjectRef { key: key.clone(), repository: String::new() }
}

fn list(dir: &Utf8Path) -> io::Result<Vec<ProjectKey>> {
    let entries = match dir.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut keys = Vec::new();
    for entry in entries {
        let entry = entry?;
        let key = entry.file_name().strip_suffix(".git").map(ProjectKey::new);
        keys.extend(key.and_then(Result::ok));
    }
    keys.sort();
    Ok(keys)
}

/// How the objects of a bundle are named: only version 3 can say anything but `sha1`.
fn format_of(bundle: &Utf8Path) -> io::Result<ObjectFormat> {
    let mut file = io::BufReader::new(fs::File::open(bundle)?);
    for _ in 0..2 {
        let mut line = Vec::new();
        io::Read::take(&mut file, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line == b"@object-format=sha256\n" {
            return Ok(ObjectFormat::Sha256);
        }
    }
    Ok(ObjectFormat::Sha1)
}
