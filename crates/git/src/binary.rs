//! Which git there is, and whether it will do.

use std::{fmt, os::unix::fs::PermissionsExt, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use ports::GitError;

use crate::command::{Caller, Runner};

/// The oldest git that knows `merge-tree --write-tree --merge-base`.
const OLDEST: Version = Version { major: 2, minor: 40 };

/// Asking for the version reads no repository: it answers at once or never.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A version of git, without the parts that never decide anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Looks `git` up in a search path like that of the variable `PATH`. Relative entries are ignored.
pub fn find_git(path: &str) -> Result<Utf8PathBuf, GitError> {
    path.split(':')
        .filter(|dir| dir.starts_with('/'))
        .map(|dir| Utf8Path::new(dir).join("git"))
        .find(|it| is_executable(it))
        .ok_or_else(|| GitError::Command {
            operation: "find git".to_owned(),
            stderr: format!("there is no program `git` in `{path}`"),
        })
}

fn is_executable(path: &Utf8Path) -> bool {
    std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// The version of a git binary; an error where it is too old for us.
pub async fn version(git: &Utf8Path) -> Result<Version, GitError> {
    let runner = Runner::new(git, TIME_LIMIT);
    let output = runner.git(Caller::Own, "ask git for its version").arg("version").run().await?;
    let text = output.text();
    let Some(version) = parse(&text) else {
        return Err(unusable(&text, "its version is not readable".to_owned()));
    };
    if version < OLDEST {
        return Err(unusable(&text, format!("{OLDEST} or newer is needed")));
    }
    Ok(version)
}

fn unusable(found: &str, stderr: String) -> GitError {
    GitError::Command { operation: format!("use `{found}`"), stderr }
}

fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ', '-']);
    let mut next = || numbers.next()?.parse().ok();
    Some(Version { major: next()?, minor: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_vendors_write_them_are_read() {
        for (text, expected) in [
            ("git version 2.47.3", "2.47"),
            ("git version 2.39.5 (Apple Git-154)", "2.39"),
            ("git version 2.50.0-rc1", "2.50"),
            ("git version 2.46.GIT", "2.46"),
        ] {
            assert_eq!(parse(text).expect(text).to_string(), expected);
        }
        assert_eq!(parse("hub version 2.14"), None);
    }

    #[test]
    fn a_relative_directory_of_the_search_path_is_never_used() {
        assert!(find_git(".:bin::").is_err());
    }
}
