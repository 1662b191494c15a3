//! `ports::Git` over mirrors: which function does what.

use std::time::Duration;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    name::RoleName,
    revision::{BranchName, CommitSha, TreeSha},
};
use jiff::Timestamp;
use ports::{
    FileWrite, Git, GitError, HandIn, HandInRequest, Integration, Joined, Landing, Merge,
    PathChange, ProjectRef, Publication, Workspace, WorkspaceSpec,
};

use crate::{
    command::Runner, commit::Author, hand_in, locks::Locks, merge, mirror, mirror::Mirror, people,
    script, workspace,
};

/// What [`MirrorGit`] needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything of ours is. Absolute.
    pub data_dir: Utf8PathBuf,
    /// The git binary. Absolute: see [`find_git`](crate::find_git).
    pub git: Utf8PathBuf,
    /// Who commits what nobody else has committed.
    pub author_name: String,
    /// The address of that author.
    pub author_email: String,
    /// How long one call of git may take.
    pub time_limit: Duration,
}

/// Git, with one bare mirror for each project.
#[derive(Debug)]
pub struct MirrorGit {
    pub(crate) runner: Runner,
    pub(crate) data_dir: Utf8PathBuf,
    pub(crate) author: Author,
    pub(crate) locks: Locks,
}

impl MirrorGit {
    /// Takes note; nothing is read or written yet.
    pub fn new(options: Options) -> Self {
        let Options { data_dir, git, author_name, author_email, time_limit } = options;
        Self {
            runner: Runner::new(&git, time_limit),
            data_dir,
            author: Author::new(&author_name, &author_email),
            locks: Locks::default(),
        }
    }

    pub(crate) fn mirror(&self, project: &ProjectRef) -> Mirror<'_> {
        Mirror::new(&self.runner, self.mirrors_dir().join(format!("{}.git", project.key)))
    }

    pub(crate) fn mirrors_dir(&self) -> Utf8PathBuf {
        self.data_dir.join("mirrors")
    }

    pub(crate) fn workspaces_dir(&self) -> Utf8PathBuf {
        self.data_dir.join("workspaces")
    }

    /// Where things are unpacked that are gone again at the end of a call; on the file system of the mirrors.
    pub(crate) fn drops_dir(&self) -> Utf8PathBuf {
        self.data_dir.join("drops")
    }
}

#[async_trait]
impl Git for MirrorGit {
    async fn sync(&self, project: &ProjectRef) -> Result<(), GitError> {
        mirror::sync(self, project).await
    }

    async fn find_target(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        let mirror = self.mirror(project);
        let found = mirror.find_commit(&mirror::tracking_ref(branch)).await?;
        if let Some(commit) = &found {
            // What begins there goes on from there, wherever the branch is moved to.
            mirror.keep("base", commit).await?;
        }
        Ok(found)
    }

    async fn list_branches(&self, project: &ProjectRef) -> Result<Vec<BranchName>, GitError> {
        mirror::list_branches(&self.mirror(project)).await
    }

    async fn list_subjects(
        &self,
        project: &ProjectRef,
        branch: Option<&BranchName>,
        max: u32,
    ) -> Result<Vec<String>, GitError> {
        mirror::list_subjects(&self.mirror(project), branch, max).await
    }

    async fn find_merges(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        line: &str,
        max: u32,
    ) -> Result<Vec<CommitSha>, GitError> {
        mirror::find_merges(&self.mirror(project), branch, line, max).await
    }

    async fn load_tree(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<TreeSha, GitError> {
        self.mirror(project).load_tree(commit).await
    }

    async fn find_head(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        self.mirror(project).find_commit(&branch.full_ref()).await
    }

    async fn move_branch(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        from: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<(), GitError> {
        mirror::move_branch(&self.mirror(project), branch, from, to).await
    }

    async fn commit_files(
        &self,
        project: &ProjectRef,
        parent: &CommitSha,
        files: &[FileWrite],
        message: &str,
        at: Timestamp,
    ) -> Result<CommitSha, GitError> {
        mirror::commit_files(self, project, parent, files, message, at).await
    }

    async fn read_file(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        path: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        mirror::read_file(&self.mirror(project), commit, path, max).await
    }

    async fn list_files(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<Vec<String>, GitError> {
        mirror::list_files(&self.mirror(project), commit).await
    }

    async fn list_changes(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Vec<PathChange>, GitError> {
        mirror::list_changes(&self.mirror(project), from, to).await
    }

    async fn diff(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
        max: usize,
    ) -> Result<String, GitError> {
        mirror::diff(&self.mirror(project), from, to, max).await
    }

    async fn checkout(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        dir: &Utf8Path,
    ) -> Result<(), GitError> {
        workspace::checkout(self, project, commit, dir).await
    }

    fn objects_dir(&self, project: &ProjectRef) -> Utf8PathBuf {
        self.mirror(project).objects_dir()
    }

    async fn open_workspace(&self, spec: &WorkspaceSpec) -> Result<Workspace, GitError> {
        workspace::open(self, spec).await
    }

    fn prepare_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Vec<String> {
        script::prepare(&self.author, workspace, branch, head)
    }

    fn hand_in_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        start: &CommitSha,
        message: &str,
    ) -> Vec<String> {
        script::hand_in(&self.author, workspace, branch, start, message)
    }

    async fn collect(&self, request: &HandInRequest) -> Result<HandIn, GitError> {
        hand_in::collect(self, request).await
    }

    async fn remove_workspace(&self, dir: &Utf8Path) -> Result<(), GitError> {
        workspace::remove(self, dir).await
    }

    async fn list_workspaces(&self, dir: &Utf8Path) -> Result<Vec<String>, GitError> {
        workspace::list(dir).await
    }

    async fn sweep_workspace(&self, dir: &Utf8Path, tries_max: u32) -> Result<bool, GitError> {
        workspace::sweep(self, dir, tries_max).await
    }

    async fn join(
        &self,
        project: &ProjectRef,
        base: &CommitSha,
        heads: &[(RoleName, CommitSha)],
        at: Timestamp,
    ) -> Result<Joined, GitError> {
        merge::join(self, project, base, heads, at).await
    }

    async fn integrate(&self, merge: &Merge, at: Timestamp) -> Result<Integration, GitError> {
        merge::integrate(self, merge, at).await
    }

    async fn land(
        &self,
        project: &ProjectRef,
        target: &BranchName,
        expected: &CommitSha,
        candidate: &CommitSha,
    ) -> Result<Landing, GitError> {
        people::land(self, project, target, expected, candidate).await
    }

    async fn publish(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Result<Publication, GitError> {
        people::publish(self, project, branch, head).await
    }
}
