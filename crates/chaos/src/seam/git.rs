//! Git, with every call that acts in the way of failpoints.

use std::sync::Arc;

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
use testkit::world::Calls;

/// The engine's way to git.
pub(super) struct WatchedGit {
    git: Arc<dyn Git>,
    calls: Arc<Calls>,
}

impl WatchedGit {
    pub(super) fn new(git: Arc<dyn Git>, calls: Arc<Calls>) -> Self {
        Self { git, calls }
    }
}

#[async_trait]
impl Git for WatchedGit {
    async fn sync(&self, project: &ProjectRef) -> Result<(), GitError> {
        self.calls.make("git.sync", self.git.sync(project)).await
    }

    async fn find_target(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        self.calls.make("git.find_target", self.git.find_target(project, branch)).await
    }

    async fn list_branches(&self, project: &ProjectRef) -> Result<Vec<BranchName>, GitError> {
        self.calls.make("git.list_branches", self.git.list_branches(project)).await
    }

    async fn list_subjects(
        &self,
        project: &ProjectRef,
        branch: Option<&BranchName>,
        max: u32,
    ) -> Result<Vec<String>, GitError> {
        self.calls.make("git.list_subjects", self.git.list_subjects(project, branch, max)).await
    }

    async fn find_merges(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        line: &str,
        max: u32,
    ) -> Result<Vec<CommitSha>, GitError> {
        let found = self.git.find_merges(project, branch, line, max);
        self.calls.make("git.find_merges", found).await
    }

    async fn load_tree(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<TreeSha, GitError> {
        self.calls.make("git.load_tree", self.git.load_tree(project, commit)).await
    }

    async fn find_head(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        self.calls.make("git.find_head", self.git.find_head(project, branch)).await
    }

    async fn move_branch(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        from: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<(), GitError> {
        self.calls.make("git.move_branch", self.git.move_branch(project, branch, from, to)).await
    }

    async fn commit_files(
        &self,
        project: &ProjectRef,
        parent: &CommitSha,
        files: &[FileWrite],
        message: &str,
        at: Timestamp,
    ) -> Result<CommitSha, GitError> {
        self.calls
            .make("git.commit_files", self.git.commit_files(project, parent, files, message, at))
            .await
    }

    async fn read_file(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        path: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        self.calls.make("git.read_file", self.git.read_file(project, commit, path, max)).await
    }

    async fn list_files(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<Vec<String>, GitError> {
        self.calls.make("git.list_files", self.git.list_files(project, commit)).await
    }

    async fn list_changes(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Vec<PathChange>, GitError> {
        self.calls.make("git.list_changes", self.git.list_changes(project, from, to)).await
    }

    async fn diff(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
        max: usize,
    ) -> Result<String, GitError> {
        self.calls.make("git.diff", self.git.diff(project, from, to, max)).await
    }

    async fn checkout(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        dir: &Utf8Path,
    ) -> Result<(), GitError> {
        self.calls.make("git.checkout", self.git.checkout(project, commit, dir)).await
    }

    fn objects_dir(&self, project: &ProjectRef) -> Utf8PathBuf {
        self.git.objects_dir(project)
    }

    async fn open_workspace(&self, spec: &WorkspaceSpec) -> Result<Workspace, GitError> {
        self.calls.make("git.open_workspace", self.git.open_workspace(spec)).await
    }

    fn prepare_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Vec<String> {
        self.git.prepare_command(workspace, branch, head)
    }

    fn hand_in_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        start: &CommitSha,
        message: &str,
    ) -> Vec<String> {
        self.git.hand_in_command(workspace, branch, start, message)
    }

    async fn collect(&self, request: &HandInRequest) -> Result<HandIn, GitError> {
        self.calls.make("git.collect", self.git.collect(request)).await
    }

    async fn remove_workspace(&self, dir: &Utf8Path) -> Result<(), GitError> {
        self.calls.make("git.remove_workspace", self.git.remove_workspace(dir)).await
    }

    async fn list_workspaces(&self, dir: &Utf8Path) -> Result<Vec<String>, GitError> {
        self.calls.make("git.list_workspaces", self.git.list_workspaces(dir)).await
    }

    async fn sweep_workspace(&self, dir: &Utf8Path, tries_max: u32) -> Result<bool, GitError> {
        self.calls.make("git.sweep_workspace", self.git.sweep_workspace(dir, tries_max)).await
    }

    async fn join(
        &self,
        project: &ProjectRef,
        base: &CommitSha,
        heads: &[(RoleName, CommitSha)],
        at: Timestamp,
    ) -> Result<Joined, GitError> {
        self.calls.make("git.join", self.git.join(project, base, heads, at)).await
    }

    async fn integrate(&self, merge: &Merge, at: Timestamp) -> Result<Integration, GitError> {
        self.calls.make("git.integrate", self.git.integrate(merge, at)).await
    }

    async fn land(
        &self,
        project: &ProjectRef,
        target: &BranchName,
        expected: &CommitSha,
        candidate: &CommitSha,
    ) -> Result<Landing, GitError> {
        self.calls.make("git.land", self.git.land(project, target, expected, candidate)).await
    }

    async fn publish(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Result<Publication, GitError> {
        self.calls.make("git.publish", self.git.publish(project, branch, head)).await
    }
}
