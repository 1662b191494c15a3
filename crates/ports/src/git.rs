//! Repositories: the project's mirror, which is ours, and workspaces, which belong to agents.
//!
//! Nothing here runs git inside a directory that an agent can write. What must happen in there is a command line
//! for the agent's own sandbox ([`Git::prepare_command`], [`Git::hand_in_command`]).

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    failure::speaks_of_a_full_disk,
    name::{ProjectKey, RoleName},
    path_rules::PathMatcher,
    revision::{BranchName, CommitSha, TreeSha},
    verdict::Finding,
};
use jiff::Timestamp;

use crate::is_full_disk;

/// A project as git sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRef {
    /// Its key: names the mirror.
    pub key: ProjectKey,
    /// The repository of the people: a path or a URL.
    pub repository: String,
}

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The path is not a git repository.
    #[error("`{path}` is not a git repository")]
    NotARepository {
        /// The path.
        path: String,
    },
    /// The repository has no commit yet.
    #[error("the repository `{path}` has no commit yet")]
    Empty {
        /// The path.
        path: String,
    },
    /// A ref was not where it was expected: somebody was faster.
    #[error("`{reference}` is at {found}, not at {expected}")]
    Moved {
        /// The ref.
        reference: String,
        /// Where it should have been.
        expected: String,
        /// Where it is.
        found: String,
    },
    /// Git said no.
    #[error("could not {operation}: {stderr}")]
    Command {
        /// What was being done.
        operation: String,
        /// Its words, shortened.
        stderr: String,
    },
    /// Git took too long.
    #[error("could not {operation}: git was stopped after {seconds} s")]
    TimedOut {
        /// What was being done.
        operation: String,
        /// The limit.
        seconds: u64,
    },
    /// The file system refused.
    #[error("could not {operation} at {path}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// Where.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl GitError {
    /// Whether git, or the system, said that a disk is full.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        match self {
            Self::Command { stderr, .. } => speaks_of_a_full_disk(stderr),
            Self::Io { source, .. } => is_full_disk(source),
            Self::NotARepository { .. }
            | Self::Empty { .. }
            | Self::Moved { .. }
            | Self::TimedOut { .. } => false,
        }
    }
}

/// A workspace to open.
#[derive(Clone, Debug)]
pub struct WorkspaceSpec {
    /// The project.
    pub project: ProjectRef,
    /// Its directory: `<data>/workspaces/<pipeline>/<role>`.
    pub dir: Utf8PathBuf,
    /// The branch that it is on.
    pub branch: BranchName,
    /// The commit to start from.
    pub head: CommitSha,
}

/// An open workspace. All of it may be written by the agent and is never trusted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The clone: the agent's working directory.
    pub repository: Utf8PathBuf,
    /// Where the hand-in is put, outside the clone.
    pub outbox: Utf8PathBuf,
    /// The agent's private home, kept between runs.
    pub home: Utf8PathBuf,
    /// The mirror's objects, which the clone borrows: to be seen inside, read-only.
    pub borrowed_objects: Utf8PathBuf,
    /// It was there already, maybe with left-over work of a run that died.
    pub reused: bool,
}

/// What an agent hands in, and what it had to keep to.
#[derive(Clone, Debug)]
pub struct HandInRequest {
    /// The project.
    pub project: ProjectRef,
    /// The workspace.
    pub workspace: Workspace,
    /// Its branch.
    pub branch: BranchName,
    /// The commit that the agent started from.
    pub start: CommitSha,
    /// What it may write.
    pub rules: PathMatcher,
    /// Salvaged work is kept under `refs/gatewright/salvage/<this>`.
    pub salvage: String,
}

/// What came of a hand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandIn {
    /// The agent left everything as it was.
    Nothing {
        /// What it did elsewhere instead, if anything: commits on another branch.
        findings: Vec<Finding>,
    },
    /// Commits that keep to the rules; now in the mirror, on no branch yet.
    Accepted {
        /// The last of them.
        head: CommitSha,
        /// Paths that differ from the start.
        changed: Vec<PathChange>,
    },
    /// Commits that do not; kept for people under the salvage ref.
    Refused {
        /// Which rules they break.
        findings: Vec<Finding>,
    },
}

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone.
    Deleted,
}

/// A path that differs between two commits. A rename is a deletion and an addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The path, relative to the root.
    pub path: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// A file to commit; an existing one is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWrite {
    /// The path, relative to the root.
    pub path: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Two sides that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// One finding a file, with the conflicting hunks in its message.
    pub findings: Vec<Finding>,
}

/// What came of joining role branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    /// One commit that holds them all.
    Clean {
        /// The commit.
        head: CommitSha,
    },
    /// They contradict each other.
    Conflict(Conflict),
}

/// How a branch gets onto a target that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeStrategy {
    /// Its commits are replayed on the target.
    Rebase,
    /// The target is merged into it.
    Merge,
}

/// A branch to be brought onto its target.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The project.
    pub project: ProjectRef,
    /// The branch's head.
    pub head: CommitSha,
    /// The target branch.
    pub target: BranchName,
    /// How.
    pub strategy: MergeStrategy,
    /// The message of the merge commit.
    pub message: String,
}

/// What came of bringing a branch onto its target, before anything public has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integration {
    /// A merge commit, in the mirror, on no branch.
    Candidate {
        /// The merge commit; its first parent is the target's head.
        commit: CommitSha,
        /// Its tree: what the gates have to speak about.
        tree: TreeSha,
        /// The branch's head, replayed where the target had moved.
        head: CommitSha,
        /// Where the target was.
        target: CommitSha,
    },
    /// The target holds the branch's head already.
    AlreadyMerged {
        /// Where the target is.
        target: CommitSha,
    },
    /// They contradict each other.
    Conflict {
        /// A merge of the target into the branch, with conflict markers where they contradict each other.
        head: CommitSha,
        /// Where they do.
        conflict: Conflict,
    },
}

/// What came of moving the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// The target is at the candidate, now or from an earlier try.
    Landed,
    /// Somebody else moved the target.
    TargetMoved {
        /// Where it is now.
        found: CommitSha,
    },
    /// The repository's own state forbids it: local changes in the way of a checked-out target.
    Refused {
        /// Why, and what a person can do.
        reason: String,
    },
}

/// What came of putting a finished branch into the people's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publication {
    /// The branch holds the commit, now or from an earlier try.
    Published,
    /// The repository's own state forbids it: other work has the branch's name, or somebody works on it.
    Refused {
        /// Why, and what a person can do.
        reason: String,
    },
}

/// Everything we ask of git.
#[async_trait]
pub trait Git: Send + Sync {
    /// Brings the mirror up to date with the branches of the project's repository; makes it on first use.
    async fn sync(&self, project: &ProjectRef) -> Result<(), GitError>;

    /// The commit of a branch of the *people's* repository, as of the last sync. It stays in the mirror, and in copies of
    /// it, wherever the branch is moved to.
    async fn find_target(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError>;

    /// The branches of the people's repository, as of the last sync.
    async fn list_branches(&self, project: &ProjectRef) -> Result<Vec<BranchName>, GitError>;

    /// The first lines of the messages of a branch of the people's repository, or of all, as of the last sync: of the newest
    /// commits, at most `max`.
    async fn list_subjects(
        &self,
        project: &ProjectRef,
        branch: Option<&BranchName>,
        max: u32,
    ) -> Result<Vec<String>, GitError>;

    /// Merges into a branch of the people's repository, as of the last sync, whose messages have `line` as a line, the newest
    /// first: of the newest commits that it was moved to, at most `max`. Merges inside of what was merged do not count: they
    /// are others' words.
    async fn find_merges(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        line: &str,
        max: u32,
    ) -> Result<Vec<CommitSha>, GitError>;

    /// The tree of a commit.
    async fn load_tree(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<TreeSha, GitError>;

    /// The head of one of *our* branches in the mirror.
    async fn find_head(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError>;

    /// Moves one of our branches, from `from` (`None`: it must not exist) to `to`. Already there is fine.
    async fn move_branch(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        from: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<(), GitError>;

    /// Commits files on top of `parent`, on no branch. The same arguments give the same commit.
    async fn commit_files(
        &self,
        project: &ProjectRef,
        parent: &CommitSha,
        files: &[FileWrite],
        message: &str,
        at: Timestamp,
    ) -> Result<CommitSha, GitError>;

    /// The content of a file of a commit, `None` where it is not a regular file there. At most `max` bytes.
    async fn read_file(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        path: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, GitError>;

    /// The paths of all files of a commit.
    async fn list_files(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<Vec<String>, GitError>;

    /// What differs between two commits.
    async fn list_changes(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Vec<PathChange>, GitError>;

    /// The unified diff between two commits, at most `max` bytes.
    async fn diff(
        &self,
        project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
        max: usize,
    ) -> Result<String, GitError>;

    /// Makes a fresh checkout of a commit in the new directory `dir`, for a gate's command.
    async fn checkout(
        &self,
        project: &ProjectRef,
        commit: &CommitSha,
        dir: &Utf8Path,
    ) -> Result<(), GitError>;

    /// Where the mirror's objects are: a checkout borrows them.
    fn objects_dir(&self, project: &ProjectRef) -> Utf8PathBuf;

    /// Opens a workspace; an existing one is kept as it is.
    async fn open_workspace(&self, spec: &WorkspaceSpec) -> Result<Workspace, GitError>;

    /// The command line that, run inside the workspace's sandbox before the agent, puts a kept workspace onto
    /// `head`. Uncommitted left-overs are committed first, on a branch of their own.
    fn prepare_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Vec<String>;

    /// The command line that, run inside the workspace's sandbox after the agent, commits left-over work with
    /// `message` and packs everything new into the outbox.
    fn hand_in_command(
        &self,
        workspace: &Workspace,
        branch: &BranchName,
        start: &CommitSha,
        message: &str,
    ) -> Vec<String>;

    /// Takes what is in the outbox, checks it, and keeps it in the mirror.
    async fn collect(&self, request: &HandInRequest) -> Result<HandIn, GitError>;

    /// Removes a workspace directory without following links out of it. Absent is fine.
    async fn remove_workspace(&self, dir: &Utf8Path) -> Result<(), GitError>;

    /// The names of the directories in `dir`, below which workspaces are. Absent is fine.
    async fn list_workspaces(&self, dir: &Utf8Path) -> Result<Vec<String>, GitError>;

    /// Removes a workspace directory that was left behind, unless that was begun `tries_max` times already and never came
    /// to its end: a removal that ends the process each time is not for ever. Says whether it is gone.
    async fn sweep_workspace(&self, dir: &Utf8Path, tries_max: u32) -> Result<bool, GitError>;

    /// Merges the heads of roles that worked side by side, in order, onto `base`.
    async fn join(
        &self,
        project: &ProjectRef,
        base: &CommitSha,
        heads: &[(RoleName, CommitSha)],
        at: Timestamp,
    ) -> Result<Joined, GitError>;

    /// Brings a branch onto its target, inside the mirror only. Syncs first.
    async fn integrate(&self, merge: &Merge, at: Timestamp) -> Result<Integration, GitError>;

    /// Moves the target of the people's repository from `expected` to `candidate`, with its checked-out tree
    /// where there is one.
    async fn land(
        &self,
        project: &ProjectRef,
        target: &BranchName,
        expected: &CommitSha,
        candidate: &CommitSha,
    ) -> Result<Landing, GitError>;

    /// Puts a finished branch into the people's repository. Refuses to overwrite another one of that name.
    async fn publish(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Result<Publication, GitError>;
}
