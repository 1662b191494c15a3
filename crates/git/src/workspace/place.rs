//! Whether a path is where ours may be.

use std::{fs, io};

use camino::{Utf8Component, Utf8Path};
use ports::GitError;

use crate::blocking::io_error;

/// Checks that `dir` is below `root`, and that no link on the way leads out. `dir` itself may be anything.
///
/// Every directory between the two is ours, so that a link there is never right, wherever it points to.
pub(crate) fn check_place(
    operation: &'static str,
    root: &Utf8Path,
    dir: &Utf8Path,
) -> Result<(), GitError> {
    let refuse = |why: &str| {
        io_error(operation, dir)(io::Error::new(io::ErrorKind::InvalidInput, why.to_owned()))
    };
    let inside = dir.strip_prefix(root).map_err(|_| refuse(&format!("it is not below {root}")))?;
    let parts: Vec<&str> = inside
        .components()
        .map(|part| match part {
            Utf8Component::Normal(name) => Ok(name),
            _ => Err(refuse("its path is not plain")),
        })
        .collect::<Result<_, _>>()?;
    let Some((_, parents)) = parts.split_last() else {
        return Err(refuse("it is the root itself"));
    };
    let mut path = root.to_owned();
    for name in parents {
        path.push(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(refuse(&format!("{path} is not a directory"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(io_error(operation, &path)(error)),
        }
    }
    Ok(())
}
