//! The directory that is restored into, and how what is new comes in the place of what was there.
//!
//! Everything happens in the directory itself, which may be the root of a file system. The database goes first and
//! comes last: as long as there is none beside `restoring/`, no process begins anything.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use store_sqlite::{DirectoryLock, RESTORING, database_file};

use crate::{commands::backup::cannot, error::CliError};

/// Where that goes which was there before.
const ASIDE: &str = "before-restore-";
/// What a directory may hold and still be empty: nobody's work.
const NOTHING: [&str; 3] = ["lock", RESTORING, "drops"];

/// A data directory that nobody else has.
pub(super) struct Target {
    data_dir: Utf8PathBuf,
    _lock: DirectoryLock,
}

impl Target {
    /// Takes the directory, which must hold nothing unless `force` says otherwise.
    pub(super) fn take(data_dir: &Utf8Path, force: bool) -> Result<Self, CliError> {
        let holder = crate::holder::of(crate::holder::HoldingCommand::Restore);
        let lock = store_sqlite::hold(data_dir, &holder)?;
        let target = Self { data_dir: data_dir.to_owned(), _lock: lock };
        let in_the_way = target.in_the_way().map_err(cannot("read", data_dir))?;
        if let (Some(first), false, false) = (in_the_way.first(), force, target.is_half_restored())
        {
            return Err(CliError::new(format!("{data_dir} was used before: `{first}` is in it")).help(
                "name another --data-dir; or have what is there kept aside with --force, which stops agents that are at work there",
            ));
        }
        Ok(target)
    }

    /// Whether the archive can fit at all; unpacked it is no shorter.
    pub(super) fn check_space(&self, archive: &File, file: &Utf8Path) -> Result<(), CliError> {
        let needed = archive.metadata().map_err(cannot("read", file))?.len();
        let free = fs4::available_space(&self.data_dir).map_err(cannot("read", &self.data_dir))?;
        if free >= needed {
            return Ok(());
        }
        let words = format!("{} has {free} bytes free, {file} needs {needed}", self.data_dir);
        Err(CliError::new(words).help("free some space, or name another --data-dir"))
    }

    /// Makes an empty place for what is restored. One that is there already stays: without it, a directory that was half
    /// restored before would pass for a new one.
    pub(super) fn begin(&self) -> Result<Utf8PathBuf, CliError> {
        let staging = self.data_dir.join(RESTORING);
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&staging)
            .and_then(|()| empty(&staging))
            .map_err(cannot("make", &staging))?;
        Ok(staging)
    }

    /// Removes what was restored so far. A directory that was half restored before stays so: what it held is aside.
    pub(super) fn give_up(&self) {
        let staging = self.data_dir.join(RESTORING);
        if self.asides().is_ok_and(|asides| asides.is_empty()) || !self.is_half_restored() {
            // The next restore removes what cannot be removed now.
            fs::remove_dir_all(&staging).ok();
        }
    }

    /// Puts what is restored in place. Returns where that is which was there before.
    pub(super) fn swap(&self) -> Result<Option<Utf8PathBuf>, CliError> {
        self.try_swap().map_err(cannot("restore", &self.data_dir))
    }

    fn try_swap(&self) -> io::Result<Option<Utf8PathBuf>> {
        let staging = self.data_dir.join(RESTORING);
        sync(&staging)?;
        let aside = self.move_aside()?;
        let database = database_file();
        for entry in staging.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_name() != database && !NOTHING.contains(&entry.file_name()) {
                fs::rename(entry.path(), self.data_dir.join(entry.file_name()))?;
            }
        }
        File::open(&self.data_dir)?.sync_all()?;
        // From here on it is restored.
        fs::rename(staging.join(database), self.data_dir.join(database))?;
        File::open(&self.data_dir)?.sync_all()?;
        // Whatever is left of it hurts nobody.
        fs::remove_dir_all(&staging).ok();
        Ok(aside)
    }

    /// Moves everything out of the way: the database first, so that nobody takes the rest for a data directory.
    fn move_aside(&self) -> io::Result<Option<Utf8PathBuf>> {
        let mut names = self.in_the_way()?;
        if names.is_empty() {
            return Ok(None);
        }
        names.sort_by_key(|name| name != database_file());
        // One that was killed on the way has begun to move: a database and its log belong together.
        let begun = if self.is_half_restored() { self.asides()?.pop() } else { None };
        let aside = begun.unwrap_or_else(|| {
            let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
            self.data_dir.join(format!("{ASIDE}{now}"))
        });
        DirBuilder::new().mode(0o700).recursive(true).create(&aside)?;
        for name in names {
            let free = (0..).map(|number| match number {
                0 => aside.join(&name),
                number => aside.join(format!("{name}.{number}")),
            });
            let to = free.into_iter().find(|path| path.symlink_metadata().is_err());
            fs::rename(self.data_dir.join(&name), to.expect("some number is free"))?;
        }
        File::open(&aside)?.sync_all()?;
        Ok(Some(aside))
    }

    fn is_half_restored(&self) -> bool {
        self.data_dir.join(RESTORING).exists() && !self.data_dir.join(database_file()).exists()
    }

    /// What is in the directory that somebody may want back, by name.
    fn in_the_way(&self) -> io::Result<Vec<String>> {
        let names = self.names()?;
        let counts = |name: &String| !NOTHING.contains(&name.as_str()) && !name.starts_with(ASIDE);
        Ok(names.into_iter().filter(counts).collect())
    }

    /// What earlier restores have moved aside, oldest first.
    fn asides(&self) -> io::Result<Vec<Utf8PathBuf>> {
        let names = self.names()?.into_iter().filter(|name| name.starts_with(ASIDE));
        Ok(names.map(|name| self.data_dir.join(name)).collect())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.data_dir.read_dir_utf8()? {
            names.push(entry?.file_name().to_owned());
        }
        names.sort();
        Ok(names)
    }
}

/// Removes what is in a directory, and never the directory.
fn empty(directory: &Utf8Path) -> io::Result<()> {
    for entry in directory.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.symlink_metadata()?.is_dir() {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Makes a directory durable with everything in it.
fn sync(path: &Utf8Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() {
        for entry in path.read_dir_utf8()? {
            sync(entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_restore_that_begins_again_never_takes_the_mark_of_the_one_before_away() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = Utf8Path::from_path(directory.path()).unwrap();
        let staging = data_dir.join(RESTORING);
        fs::create_dir_all(staging.join("mirrors/ET.git")).unwrap();
        fs::write(staging.join(database_file()), "half of one").unwrap();
        let before = staging.metadata().unwrap().ino();
        // While it is held open no other directory can get its number.
        let _held = File::open(&staging).unwrap();
        let target = Target::take(data_dir, false).unwrap();
        assert_eq!(target.begin().unwrap(), staging);
        assert_eq!(staging.metadata().unwrap().ino(), before, "it is the same directory");
        assert_eq!(staging.read_dir_utf8().unwrap().count(), 0);
    }
}
