//! Where the people's repository is, and how to reach it.

use camino::{Utf8Path, Utf8PathBuf};
use ports::GitError;

use crate::{
    MirrorGit,
    command::{Call, Caller},
};

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Repository {
    /// On this machine, with or without a work tree.
    Local(Utf8PathBuf),
    /// Behind a URL, or `host:path` as ssh writes it.
    Remote(String),
}

impl Repository {
    /// Tells a path from a URL as git does: a colon before the first slash makes a remote.
    pub(crate) fn parse(text: &str) -> Self {
        let before_slash = text.split('/').next().unwrap_or(text);
        if before_slash.contains(':') {
            return Self::Remote(text.to_owned());
        }
        // Git runs in a directory of its own choice.
        Self::Local(camino::absolute_utf8(text).unwrap_or_else(|_| Utf8PathBuf::from(text)))
    }

    /// What git is given for it.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Local(path) => path.as_str(),
            Self::Remote(url) => url,
        }
    }

    /// It has no commit yet.
    pub(crate) fn empty(&self) -> GitError {
        GitError::Empty { path: self.address().to_owned() }
    }

    /// Begins a call that reads from it, in the mirror at `git_dir` where there is one.
    ///
    /// A private remote can only be reached with the ssh agent, keys and credential helpers of the people who started
    /// us; a path needs nothing of them.
    pub(crate) fn reach<'a>(
        &self,
        git: &'a MirrorGit,
        operation: &str,
        git_dir: Option<&Utf8Path>,
    ) -> Call<'a> {
        let caller = match self {
            Self::Local(_) => Caller::Own,
            Self::Remote(_) => Caller::People,
        };
        let call = git.runner.git(caller, operation);
        match git_dir {
            Some(git_dir) => call.dir(git_dir).arg(format!("--git-dir={git_dir}")),
            None => call,
        }
    }

    /// Adds the option that makes git read a path even where it belongs to another user.
    pub(crate) fn pack_with<'a>(&self, git: &MirrorGit, call: Call<'a>) -> Call<'a> {
        match self {
            Self::Local(_) => call.arg(format!("--upload-pack={}", git.runner.upload_pack())),
            Self::Remote(_) => call,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart_as_git_does() {
        for remote in
            ["https://x/y.git", "git@host:y.git", "ssh://h/y", "file:///y", "ext::sh -c id"]
        {
            assert!(matches!(Repository::parse(remote), Repository::Remote(_)), "{remote}");
        }
        for local in ["/a/b", "/a/b:c", "./x:y", "x"] {
            let found = Repository::parse(local);
            assert!(matches!(&found, Repository::Local(path) if path.is_absolute()), "{found:?}");
        }
    }
}
