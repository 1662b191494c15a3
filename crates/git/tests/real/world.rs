//! A repository of the people, a data directory, and what an agent and its sandbox do.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    name::ProjectKey,
    path_rules::PathRules,
    revision::{BranchName, CommitSha},
};
use git::{MirrorGit, Options};
use jiff::Timestamp;
use ports::{
    Git, HandIn, HandInRequest, Merge, MergeStrategy, ProjectRef, Workspace, WorkspaceSpec,
};
use tempfile::TempDir;

/// The agent's branch.
pub(crate) const BRANCH: &str = "gw/ET-1";
/// The message of left-over work.
pub(crate) const MESSAGE: &str = "wip(developer): left over";

pub(crate) struct World {
    pub(crate) root: Utf8PathBuf,
    pub(crate) git: MirrorGit,
    pub(crate) project: ProjectRef,
    _dir: TempDir,
}

impl World {
    /// A repository with a work tree on `main` and one commit.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root =
            Utf8PathBuf::from_path_buf(dir.path().canonicalize().expect("a path")).expect("UTF-8");
        let people = root.join("people");
        fs::create_dir(&people).expect("a directory");
        run(&people, ["init", "--quiet", "--initial-branch=main"]);
        write(&people, "README", "hello\n");
        write(&people, "src/lib.txt", "one\ntwo\nthree\n");
        write(&people, ".gitignore", "cache/\n");
        commit(&people, "base");
        let git = MirrorGit::new(options(&root.join("data")));
        let project = ProjectRef {
            key: ProjectKey::new("ET").expect("a key"),
            repository: people.to_string(),
        };
        Self { root, git, project, _dir: dir }
    }

    pub(crate) async fn synced() -> Self {
        let world = Self::new();
        world.git.sync(&world.project).await.expect("synced");
        world
    }

    /// The same data directory, seen by another process.
    pub(crate) fn other_process(&self) -> MirrorGit {
        MirrorGit::new(options(&self.data()))
    }

    pub(crate) fn people(&self) -> Utf8PathBuf {
        self.root.join("people")
    }

    pub(crate) fn data(&self) -> Utf8PathBuf {
        self.root.join("data")
    }

    pub(crate) fn mirror(&self) -> Utf8PathBuf {
        self.data().join("mirrors/ET.git")
    }

    pub(crate) fn at(&self, place: impl AsRef<str>) -> ProjectRef {
        ProjectRef { key: self.project.key.clone(), repository: place.as_ref().to_owned() }
    }

    /// A bare copy of the people's repository.
    pub(crate) fn bare(&self) -> Utf8PathBuf {
        let bare = self.root.join("bare.git");
        run(&self.root, ["clone", "--quiet", "--bare", "people", "bare.git"]);
        bare
    }

    pub(crate) async fn target(&self) -> CommitSha {
        let found = self.git.find_target(&self.project, &branch("main")).await.expect("looked up");
        found.expect("a target")
    }

    pub(crate) async fn open(&self) -> Workspace {
        self.try_open("workspaces/p1/developer").await.expect("a workspace")
    }

    pub(crate) async fn try_open(&self, dir: &str) -> Result<Workspace, ports::GitError> {
        let spec = WorkspaceSpec {
            project: self.project.clone(),
            dir: self.data().join(dir),
            branch: branch(BRANCH),
            head: self.target().await,
        };
        self.git.open_workspace(&spec).await
    }

    /// Opens the workspace again and puts it onto `head`, as a sandbox would.
    pub(crate) async fn prepare(&self, head: &CommitSha) -> Output {
        let workspace = self.open().await;
        sandbox(&self.git.prepare_command(&workspace, &branch(BRANCH), head))
    }

    /// Runs the hand-in script, which must succeed.
    pub(crate) async fn pack(&self, workspace: &Workspace) {
        let start = self.target().await;
        let output =
            sandbox(&self.git.hand_in_command(workspace, &branch(BRANCH), &start, MESSAGE));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) async fn collect(&self, workspace: &Workspace, deny: &[&str]) -> HandIn {
        let rules =
            PathRules { write: Vec::new(), deny: deny.iter().map(|&it| it.to_owned()).collect() };
        let request = HandInRequest {
            project: self.project.clone(),
            workspace: workspace.clone(),
            branch: branch(BRANCH),
            start: self.target().await,
            rules: rules.compile().expect("patterns"),
            salvage: "run-1".to_owned(),
        };
        self.git.collect(&request).await.expect("collected")
    }

    /// What comes of everything that the agent did.
    pub(crate) async fn hand_in(&self, workspace: &Workspace) -> HandIn {
        self.pack(workspace).await;
        self.collect(workspace, &[]).await
    }

    pub(crate) fn merge(&self, head: &CommitSha, strategy: MergeStrategy) -> Merge {
        Merge {
            project: self.project.clone(),
            head: head.clone(),
            target: branch("main"),
            strategy,
            message: "Merge ET-1".to_owned(),
        }
    }

    /// A branch of ours with one commit on top of the target that writes one file.
    pub(crate) async fn change(&self, path: &str, content: &str) -> CommitSha {
        let parent = self.target().await;
        self.change_on(&parent, path, content).await
    }

    pub(crate) async fn change_on(
        &self,
        parent: &CommitSha,
        path: &str,
        content: &str,
    ) -> CommitSha {
        let files =
            [ports::FileWrite { path: path.to_owned(), content: content.as_bytes().to_vec() }];
        let message = format!("write {path}");
        self.git
            .commit_files(&self.project, parent, &files, &message, time())
            .await
            .expect("a commit")
    }

    /// Refs of ours in the mirror, but for where work began.
    pub(crate) fn kept(&self) -> Vec<String> {
        let text = run(&self.mirror(), ["for-each-ref", "--format=%(refname)", "refs/gatewright/"]);
        let began = ["base/", "files/"].map(|kind| format!("refs/gatewright/{kind}"));
        let is_later = |name: &&str| !began.iter().any(|kind| name.starts_with(kind));
        text.lines().filter(is_later).map(ToOwned::to_owned).collect()
    }

    /// The content of a file in the mirror.
    pub(crate) fn show(&self, commit: &CommitSha, path: &str) -> String {
        run(&self.mirror(), ["show", &format!("{commit}:{path}")])
    }
}

pub(crate) fn options(data: &Utf8Path) -> Options {
    Options {
        data_dir: data.to_owned(),
        git: git_binary(),
        author_name: "Gatewright".to_owned(),
        author_email: "gatewright@localhost".to_owned(),
        time_limit: Duration::from_mins(2),
    }
}

pub(crate) fn git_binary() -> Utf8PathBuf {
    git::find_git(&std::env::var("PATH").expect("a PATH")).expect("git is installed")
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).expect("a branch name")
}

pub(crate) fn sha(text: &str) -> CommitSha {
    CommitSha::new(text.trim()).expect("a commit")
}

pub(crate) fn time() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("a time")
}

fn command(dir: &Utf8Path) -> Command {
    let mut command = Command::new(git_binary());
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Ann")
            .env(format!("GIT_{who}_EMAIL"), "ann@example.org");
    }
    command
}

/// Git as a person or an agent runs it.
pub(crate) fn try_run<T: AsRef<OsStr>>(
    dir: &Utf8Path,
    args: impl IntoIterator<Item = T>,
) -> Output {
    command(dir).args(args).output().expect("git runs")
}

pub(crate) fn run<T: AsRef<OsStr>>(dir: &Utf8Path, args: impl IntoIterator<Item = T>) -> String {
    let output = try_run(dir, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn write(dir: &Utf8Path, path: &str, content: &str) {
    let file = dir.join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
    fs::write(file, content).expect("a file");
}

pub(crate) fn read(dir: &Utf8Path, path: &str) -> String {
    fs::read_to_string(dir.join(path)).expect("a file")
}

/// Commits everything.
pub(crate) fn commit(dir: &Utf8Path, message: &str) -> CommitSha {
    run(dir, ["add", "--all"]);
    run(dir, ["commit", "--quiet", "--allow-empty", "--message", message]);
    head(dir)
}

pub(crate) fn head(dir: &Utf8Path) -> CommitSha {
    sha(&run(dir, ["rev-parse", "HEAD"]))
}

/// Runs a command line as a sandbox does: little environment, another working directory.
pub(crate) fn sandbox(argv: &[String]) -> Output {
    Command::new(&argv[0])
        .args(&argv[1..])
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("IN_SANDBOX", "yes")
        .output()
        .expect("the script runs")
}

/// A program that leaves `marker` behind wherever it runs, but for the sandbox.
pub(crate) fn trap(place: &Utf8Path, marker: &Utf8Path) {
    fs::create_dir_all(place.parent().expect("a parent")).expect("a directory");
    fs::write(place, format!("#!/bin/sh\n[ -n \"$IN_SANDBOX\" ] || touch '{marker}'\ncat\n"))
        .expect("a script");
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).expect("a mode");
}
