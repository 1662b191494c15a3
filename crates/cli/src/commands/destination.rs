//! Where a file may be written: where nothing is, or in the place of a regular file.

use std::{fs::FileType, io, os::unix::fs::FileTypeExt as _};

use camino::Utf8Path;

use super::backup::cannot;
use crate::error::CliError;

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Nothing.
    Free,
    /// A regular file, whose place can be taken.
    File,
}

/// Looks at the place of a file that is to be written. What gets its name takes the place of whatever has it, so that
/// what is no regular file is refused: a device would be gone for everybody, and of a link it is not known which of both
/// is meant.
pub(crate) fn look(file: &Utf8Path) -> Result<Destination, CliError> {
    let refused = |words: String, help: &str| Err(CliError::usage(words).help(help));
    let directory = file.parent().filter(|dir| !dir.as_str().is_empty());
    if let Some(directory) = directory {
        let is_there = match directory.metadata() {
            Ok(found) => found.is_dir(),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => false,
                _ => return Err(cannot("look at", directory)(error)),
            },
        };
        if !is_there {
            let words =
                format!("could not write {file}: {directory} is no directory that is there");
            return refused(words, "make it, or name a file elsewhere");
        }
    }
    let kind = match file.symlink_metadata() {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Destination::Free),
        Err(error) => return Err(cannot("look at", file)(error)),
    };
    match other_than_a_file(kind) {
        None => Ok(Destination::File),
        Some("a directory") => refused(format!("{file} is a directory"), "name a file"),
        Some("a symbolic link") => refused(
            format!("{file} is no regular file: it is a symbolic link"),
            "name the file that it leads to, or another one",
        ),
        Some(what) => refused(
            format!("{file} is no regular file: it is {what}"),
            "name another file: what is there would be replaced, not written to",
        ),
    }
}

/// What it is, where it is no regular file.
fn other_than_a_file(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixListener};

    use super::*;

    #[test]
    fn the_place_of_a_regular_file_is_taken_and_of_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(directory.path()).unwrap();
        let at = |name: &str| dir.join(name);
        fs::write(at("file"), "").unwrap();
        fs::create_dir(at("directory")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(look(&at("file")).unwrap(), Destination::File);
        assert_eq!(look(&at("nothing")).unwrap(), Destination::Free);
        for (name, words) in [
            ("directory", "is a directory"),
            ("link", "is no regular file: it is a symbolic link"),
            ("dangling", "is no regular file: it is a symbolic link"),
            ("socket", "is no regular file: it is a socket"),
            ("none/file", "/none is no directory that is there"),
            ("file/file", "/file is no directory that is there"),
        ] {
            let refused = look(&at(name)).unwrap_err();
            assert!(refused.message.contains(words) && refused.help.is_some(), "{refused:?}");
        }
        // Only looked at: nobody may make one here.
        let device = look(Utf8Path::new("/dev/null")).unwrap_err();
        assert!(device.message.contains("it is a device"), "{device}");
    }
}
