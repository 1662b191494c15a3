//! Repositories as a small model: commits are numbers with a map of files.

mod history;
mod port;
mod projects;
mod workspaces;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
};

use camino::Utf8Path;
use domain::{name::ProjectKey, revision::CommitSha};
use history::History;
use ports::GitError;
use projects::Projects;
use workspaces::Workspaces;

use super::Calls;

/// Everything that git knows.
#[derive(Debug, Default)]
struct Model {
    history: History,
    projects: Projects,
    workspaces: Workspaces,
    damage: Option<String>,
    /// Calls that find the disk full next.
    full_at: BTreeSet<&'static str>,
}

/// The repositories of the people, our mirrors of them, and the workspaces of agents.
#[derive(Debug)]
pub struct FakeGit {
    model: Arc<Mutex<Model>>,
    calls: Arc<Calls>,
}

impl FakeGit {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { model: Arc::default(), calls }
    }

    /// The same repositories, as somebody else calls them.
    pub(super) fn called(&self, calls: Arc<Calls>) -> Self {
        Self { model: Arc::clone(&self.model), calls }
    }

    /// Makes the people's repository of a project, with a first commit on `main`.
    pub fn found(&self, project: &ProjectKey) {
        let Model { history, projects, .. } = &mut *self.model();
        let first = history.commit(&[], [("README", "first")], "first");
        projects.found(project, &first);
    }

    /// Somebody commits a file to a branch of the people's repository; a new branch starts from `main`.
    pub fn people_commit(&self, project: &ProjectKey, branch: &str, path: &str, content: &str) {
        let Model { history, projects, .. } = &mut *self.model();
        let people = projects.people_mut(project);
        let parent = people.get(branch).unwrap_or_else(|| &people["main"]).clone();
        let mut files = history.files(&parent).clone();
        files.insert(path.to_owned(), content.to_owned());
        let commit = history.commit(&[&parent], files, &format!("people write {path}"));
        people.insert(branch.to_owned(), commit);
        self.calls.tell();
    }

    /// A file of a branch of the people's repository.
    #[must_use]
    pub fn people_file(&self, project: &ProjectKey, branch: &str, path: &str) -> Option<String> {
        let Model { history, projects, .. } = &mut *self.model();
        let head = projects.people_mut(project).get(branch)?.clone();
        history.files(&head).get(path).cloned()
    }

    /// Whether the people's repository of a project can be reached.
    pub fn set_reachable(&self, project: &ProjectKey, reachable: bool) {
        self.model().projects.set_reachable(project, reachable);
    }

    /// The next call of that name finds the disk full: `git.sync`, `git.open_workspace`, `git.collect`, or the
    /// `hand-in` inside a workspace.
    pub fn fill_disk_at(&self, call: &'static str) {
        self.model().full_at.insert(call);
    }

    /// From now on targets are moved wherever they are: a fault to be found.
    pub fn land_without_comparing(&self) {
        self.model().projects.land_without_comparing();
    }

    /// The commits that we moved targets to and their messages, oldest first.
    #[must_use]
    pub fn landed(&self) -> Vec<(CommitSha, String)> {
        let Model { history, projects, .. } = &mut *self.model();
        let with_message = |commit: CommitSha| {
            let message = history.message(&commit).to_owned();
            (commit, message)
        };
        projects.landed().into_iter().map(with_message).collect()
    }

    /// Whether a branch of the people's repository holds a commit.
    #[must_use]
    pub fn people_have(&self, project: &ProjectKey, branch: &str, commit: &CommitSha) -> bool {
        let Model { history, projects, .. } = &mut *self.model();
        let head = projects.people_mut(project).get(branch);
        head.is_some_and(|head| history.descends(head, commit))
    }

    /// What was done to repositories and workspaces that nobody may do: commits dropped, work thrown away.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.model().damage.clone()
    }

    /// The directories of the workspaces that there are.
    #[must_use]
    pub fn workspace_dirs(&self) -> Vec<camino::Utf8PathBuf> {
        self.model().workspaces.dirs()
    }

    /// How often the target of a project was moved by us.
    #[must_use]
    pub fn landings(&self, project: &ProjectKey) -> u32 {
        self.model().projects.landings(project)
    }

    /// Whether the mirror keeps a commit that has this file: nothing that was handed in or salvaged is lost.
    #[must_use]
    pub fn keeps(&self, path: &str, content: &str) -> bool {
        self.model().history.keeps(path, content)
    }

    /// A file of a commit.
    #[must_use]
    pub fn file(&self, commit: &CommitSha, path: &str) -> Option<String> {
        self.model().history.files(commit).get(path).cloned()
    }

    /// How many workspaces there are.
    #[must_use]
    pub fn workspaces(&self) -> usize {
        self.model().workspaces.len()
    }

    /// An agent writes a file of its workspace.
    pub(super) fn write(&self, repository: &Utf8Path, path: &str, content: &str) {
        let Model { workspaces, damage, .. } = &mut *self.model();
        let gone = workspaces.write(repository, path, content).err();
        *damage = damage.take().or(gone);
    }

    /// Whether there is such a workspace.
    pub(super) fn has_workspace(&self, repository: &Utf8Path) -> bool {
        self.model().workspaces.find(repository).is_some()
    }

    /// Runs a command line of ours inside a workspace, as its sandbox would.
    pub(super) fn run_inside(&self, repository: &Utf8Path, argv: &[String]) -> Result<(), String> {
        let Model { history, workspaces, damage, full_at, .. } = &mut *self.model();
        if argv.first().is_some_and(|command| command == workspaces::HAND_IN)
            && full_at.remove("hand-in")
        {
            return Err(format!("error: {NO_SPACE}\nfatal: unable to write new index file"));
        }
        if argv.first().is_some_and(|command| command == workspaces::PREPARE) {
            let lost = workspaces.not_kept(history, repository);
            *damage = damage.take().or(lost);
        }
        workspaces.run(history, repository, argv)
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("nobody panics while holding it")
    }
}

/// What the system says of a disk that is full.
const NO_SPACE: &str = "No space left on device";

/// What git says when it cannot do something.
fn refused(operation: &str, why: impl Into<String>) -> GitError {
    GitError::Command { operation: operation.to_owned(), stderr: why.into() }
}
