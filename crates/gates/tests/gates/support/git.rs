//! A repository in memory: two commits, their files, nothing else.

use std::collections::BTreeMap;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    name::RoleName,
    revision::{BranchName, CommitSha, TreeSha},
};
use jiff::Timestamp;
use ports::{
    ChangeKind, FileWrite, Git, GitError, HandIn, HandInRequest, Integration, Joined, Landing,
    Merge, PathChange, ProjectRef, Publication, Workspace, WorkspaceSpec,
};

/// The commit under judgement.
pub(crate) fn head() -> CommitSha {
    CommitSha::new("c".repeat(40)).unwrap()
}

/// The commit that its branch started from.
pub(crate) fn base() -> CommitSha {
    CommitSha::new("b".repeat(40)).unwrap()
}

#[derive(Clone, Default)]
pub(crate) struct FakeGit {
    /// `None` is a link.
    commits: BTreeMap<CommitSha, BTreeMap<String, Option<Vec<u8>>>>,
}

impl FakeGit {
    pub(crate) fn write(&mut self, commit: &CommitSha, path: &str, content: &[u8]) {
        self.commits
            .entry(commit.clone())
            .or_default()
            .insert(path.to_owned(), Some(content.to_vec()));
    }

    pub(crate) fn link(&mut self, commit: &CommitSha, path: &str) {
        self.commits.entry(commit.clone()).or_default().insert(path.to_owned(), None);
    }

    fn files(&self, commit: &CommitSha) -> BTreeMap<String, Option<Vec<u8>>> {
        self.commits.get(commit).cloned().unwrap_or_default()
    }
}

fn refused<T>(operation: &str) -> Result<T, GitError> {
    Err(GitError::Command {
        operation: operation.to_owned(),
        stderr: "a gate has no business with that".to_owned(),
    })
}

fn io(operation: &'static str, path: &Utf8Path) -> impl FnOnce(std::io::Error) -> GitError {
    let path = path.to_owned();
    move |source| GitError::Io { operation, path, source }
}

#[async_trait]
impl Git for FakeGit {
    async fn load_tree(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<TreeSha, GitError> {
        Ok(TreeSha::new(commit.as_str().replace('c', "e")).unwrap())
    }

    async fn read_file(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
        path: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let content = self.files(commit).remove(path).flatten();
        Ok(content.map(|mut content| {
            content.truncate(max);
            content
        }))
    }

    async fn list_files(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<Vec<String>, GitError> {
        Ok(self.files(commit).into_keys().collect())
    }

    async fn list_changes(
        &self,
        _project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Vec<PathChange>, GitError> {
        let (from, to) = (self.files(from), self.files(to));
        let deleted = from
            .keys()
            .filter(|path| !to.contains_key(*path))
            .map(|path| (path, ChangeKind::Deleted));
        let changed = to.iter().filter_map(|(path, content)| match from.get(path) {
            None => Some((path, ChangeKind::Added)),
            Some(before) if before != content => Some((path, ChangeKind::Modified)),
            Some(_) => None,
        });
        Ok(deleted
            .chain(changed)
            .map(|(path, kind)| PathChange { path: path.clone(), kind })
            .collect())
    }

    async fn checkout(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
        dir: &Utf8Path,
    ) -> Result<(), GitError> {
        std::fs::create_dir(dir).map_err(io("make a checkout", dir))?;
        for (path, content) in self.files(commit) {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).map_err(io("make a checkout", dir))?;
            std::fs::write(&path, content.unwrap_or_default())
                .map_err(io("make a checkout", dir))?;
        }
        Ok(())
    }

    fn objects_dir(&self, _project: &ProjectRef) -> Utf8PathBuf {
        "/mirrors/ET/objects".into()
    }

    async fn remove_workspace(&self, dir: &Utf8Path) -> Result<(), GitError> {
        if dir.exists() { std::fs::remove_dir_all(dir).map_err(io("remove", dir)) } else { Ok(()) }
    }

    async fn list_workspaces(&self, _: &Utf8Path) -> Result<Vec<String>, GitError> {
        refused("list workspaces")
    }

    async fn sweep_workspace(&self, _: &Utf8Path, _: u32) -> Result<bool, GitError> {
        refused("sweep a workspace")
    }

    async fn list_subjects(
        &self,
        _: &ProjectRef,
        _: Option<&BranchName>,
        _: u32,
    ) -> Result<Vec<String>, GitError> {
        refused("list subjects")
    }

    async fn find_merges(
        &self,
        _: &ProjectRef,
        _: &BranchName,
        _: &str,
        _: u32,
    ) -> Result<Vec<CommitSha>, GitError> {
        refused("find merges")
    }

    async fn sync(&self, _: &ProjectRef) -> Result<(), GitError> {
        refused("sync")
    }

    async fn find_target(
        &self,
        _: &ProjectRef,
        _: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        refused("find a target")
    }

    async fn list_branches(&self, _: &ProjectRef) -> Result<Vec<BranchName>, GitError> {
        refused("list branches")
    }

    async fn find_head(
        &self,
        _: &ProjectRef,
        _: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        refused("find a head")
    }

    async fn move_branch(
        &self,
        _: &ProjectRef,
        _: &BranchName,
        _: Option<&CommitSha>,
        _: &CommitSha,
    ) -> Result<(), GitError> {
        refused("move a branch")
    }

    async fn commit_files(
        &self,
        _: &ProjectRef,
        _: &CommitSha,
        _: &[FileWrite],
        _: &str,
        _: Timestamp,
    ) -> Result<CommitSha, GitError> {
        refused("commit")
    }

    async fn diff(
        &self,
        _: &ProjectRef,
        _: &CommitSha,
        _: &CommitSha,
        _: usize,
    ) -> Result<String, GitError> {
        refused("diff")
    }

    async fn open_workspace(&self, _: &WorkspaceSpec) -> Result<Workspace, GitError> {
        refused("open a workspace")
    }

    fn prepare_command(&self, _: &Workspace, _: &BranchName, _: &CommitSha) -> Vec<String> {
        Vec::new()
    }

    fn hand_in_command(
        &self,
        _: &Workspace,
        _: &BranchName,
        _: &CommitSha,
        _: &str,
    ) -> Vec<String> {
        Vec::new()
    }

    async fn collect(&self, _: &HandInRequest) -> Result<HandIn, GitError> {
        refused("collect")
    }

    async fn join(
        &self,
        _: &ProjectRef,
        _: &CommitSha,
        _: &[(RoleName, CommitSha)],
        _: Timestamp,
    ) -> Result<Joined, GitError> {
        refused("join")
    }

    async fn integrate(&self, _: &Merge, _: Timestamp) -> Result<Integration, GitError> {
        refused("integrate")
    }

    async fn land(
        &self,
        _: &ProjectRef,
        _: &BranchName,
        _: &CommitSha,
        _: &CommitSha,
    ) -> Result<Landing, GitError> {
        refused("land")
    }

    async fn publish(
        &self,
        _: &ProjectRef,
        _: &BranchName,
        _: &CommitSha,
    ) -> Result<Publication, GitError> {
        refused("publish")
    }
}
