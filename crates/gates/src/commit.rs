//! The commit under judgement, and its files.

use domain::revision::CommitSha;
use ports::{Git, GitError, ProjectRef};

use crate::{limits::FILE_BYTES_MAX, obstacle::Obstacle};

/// A commit of a project, for reading.
#[derive(Clone, Copy)]
pub(crate) struct Commit<'a> {
    pub(crate) git: &'a dyn Git,
    pub(crate) project: &'a ProjectRef,
    pub(crate) sha: &'a CommitSha,
}

/// What a commit has at a path.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Nothing.
    Missing,
    /// A link or a submodule: it could lead anywhere and is never followed.
    NotAFile,
    /// A file.
    File {
        /// Its first bytes, at most [`FILE_BYTES_MAX`].
        content: Vec<u8>,
        /// There is more of it.
        cut: bool,
    },
}

impl Commit<'_> {
    /// What the commit has at `path`.
    pub(crate) async fn load(&self, path: &str) -> Result<Entry, Obstacle> {
        if let Some(file) = self.read(path).await? {
            return Ok(file);
        }
        let exists = self.list().await?.iter().any(|it| it == path);
        Ok(if exists { Entry::NotAFile } else { Entry::Missing })
    }

    /// What the commit has at `path`, which is known to be there.
    pub(crate) async fn load_listed(&self, path: &str) -> Result<Entry, Obstacle> {
        Ok(self.read(path).await?.unwrap_or(Entry::NotAFile))
    }

    /// The paths of all its files, links included.
    pub(crate) async fn list(&self) -> Result<Vec<String>, GitError> {
        self.git.list_files(self.project, self.sha).await
    }

    async fn read(&self, path: &str) -> Result<Option<Entry>, GitError> {
        // One byte more than fits tells a full file from one that goes on.
        let content = self.git.read_file(self.project, self.sha, path, FILE_BYTES_MAX + 1).await?;
        Ok(content.map(|mut content| {
            let cut = content.len() > FILE_BYTES_MAX;
            content.truncate(FILE_BYTES_MAX);
            Entry::File { content, cut }
        }))
    }
}
