//! Files that the player writes and deletes.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
};

use camino::Utf8Path;

/// Writes a whole file. An existing one keeps its mode.
pub(super) fn write(file: &Utf8Path, content: &str) -> io::Result<()> {
    make_directory(file)?;
    fs::write(file, content)
}

/// Adds to the end of a file.
pub(super) fn append(file: &Utf8Path, content: &str) -> io::Result<()> {
    make_directory(file)?;
    OpenOptions::new().create(true).append(true).open(file)?.write_all(content.as_bytes())
}

/// Changes a passage of a file, unless that has been done.
pub(super) fn edit(file: &Utf8Path, replace: &str, with: &str) -> io::Result<()> {
    let content = fs::read_to_string(file)?;
    let done = if with.is_empty() { !content.contains(replace) } else { content.contains(with) };
    if done {
        return Ok(());
    }
    if !content.contains(replace) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{file} does not have the passage to change"),
        ));
    }
    fs::write(file, content.replacen(replace, with, 1))
}

/// Deletes a file; one that is not there is as good as deleted.
pub(super) fn delete(file: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Leaves a marker; tells whether it is new.
pub(super) fn mark(home: &Utf8Path, name: &str) -> io::Result<bool> {
    let marker = home.join(format!(".scenario-{name}"));
    match OpenOptions::new().write(true).create_new(true).open(marker) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn make_directory(file: &Utf8Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}
