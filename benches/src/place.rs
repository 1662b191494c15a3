//! Where everything is measured: on a disk.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// A directory on a disk, gone afterwards.
pub(crate) struct Place {
    _dir: TempDir,
    root: Utf8PathBuf,
    file_system: String,
}

impl Place {
    /// A directory where temporary files go: what `testkit` makes is there as well, and all of it must be on one disk.
    pub(crate) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("gatewright-benches-").tempdir()?;
        let root = dir.path().canonicalize()?;
        let Ok(root) = Utf8PathBuf::from_path_buf(root) else {
            bail!("the path of the temporary directory is not UTF-8")
        };
        let file_system = file_system(&root)?;
        ensure!(
            !matches!(file_system.as_str(), "tmpfs" | "ramfs"),
            "{root} is on {file_system}, where nothing is durable: set TMPDIR to a directory on a disk"
        );
        Ok(Self { _dir: dir, root, file_system })
    }

    /// A new directory in it.
    pub(crate) fn dir(&self, name: &str) -> Result<Utf8PathBuf> {
        let dir =
            tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(&self.root)?.keep();
        Utf8PathBuf::from_path_buf(dir).ok().context("a directory whose name is not UTF-8")
    }

    pub(crate) fn file_system(&self) -> &str {
        &self.file_system
    }
}

/// The type of the file system that holds `path`.
fn file_system(path: &Utf8Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/mounts").context("could not read /proc/mounts")?;
    let parse = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
        path.starts_with(&at).then_some((at.len(), kind))
    };
    // The last of the longest: it lies on top of the others.
    let found = mounts.lines().filter_map(parse).max_by_key(|(length, _)| *length);
    found.map(|(_, kind)| kind).with_context(|| format!("no file system is mounted for {path}"))
}
