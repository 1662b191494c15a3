//! Real git repositories, made for one test.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::CommitSha;
use tempfile::TempDir;

/// The first commit's date; every further one is a minute later. 2026-01-01.
const FIRST_DATE: u64 = 1_767_225_600;

const NAME: &str = "Test Author";
const EMAIL: &str = "author@example.invalid";

const GREET: &str = "#!/bin/sh
# Greets whoever is named.
echo \"Hello, ${1:-world}!\"
";

const GREET_TESTS: &str = "#!/bin/sh
# Fails with the number of broken expectations.
cd \"$(dirname \"$0\")/..\" || exit 99
failed=0
expect() {
    if [ \"$1\" = \"$2\" ]; then
        echo \"ok: $2\"
    else
        echo \"not ok: expected '$2', got '$1'\"
        failed=$((failed + 1))
    fi
}
expect \"$(./greet.sh)\" 'Hello, world!'
expect \"$(./greet.sh Ada)\" 'Hello, Ada!'
exit \"$failed\"
";

/// A repository with its checked-out tree, on branch `main`, in a directory that goes with it.
///
/// Author, committer and dates are fixed: the same calls give the same commits. Every method panics where the
/// file system or git refuses, with what they said.
pub struct Repository {
    _dir: TempDir,
    path: Utf8PathBuf,
    home: Utf8PathBuf,
    commits: AtomicU64,
}

impl Repository {
    /// A repository without a commit.
    #[must_use]
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("repository-")
            .tempdir()
            .expect("a temporary directory");
        let root =
            Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("a UTF-8 temporary directory");
        let (path, home) = (root.join("project"), root.join("home"));
        fs::create_dir(&path).expect("a new directory can be filled");
        fs::create_dir(&home).expect("a new directory can be filled");
        let repository = Self { _dir: dir, path, home, commits: AtomicU64::new(0) };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        // It would go on in the background while the directory is being removed.
        repository.git(&["config", "maintenance.auto", "false"]);
        repository
    }

    /// A tiny shell project with one commit: `greet.sh`, its tests in `tests/run.sh`, and a README.
    #[must_use]
    pub fn greet() -> Self {
        let repository = Self::empty();
        repository
            .file("README.md", "# greet\n\n`./greet.sh NAME` greets. `tests/run.sh` tests it.\n");
        repository.program("greet.sh", GREET).program("tests/run.sh", GREET_TESTS);
        repository.commit("greet: say hello");
        repository
    }

    /// The same repository with one more commit that adds `count` small files below `many/`, a hundred a directory.
    #[must_use]
    pub fn with_files(self, count: usize) -> Self {
        let mut stream = String::new();
        for number in 0..count {
            let content = format!("file {number}\n");
            let path = format!("many/{:04}/{number:06}.txt", number / 100);
            write!(stream, "M 100644 inline {path}\ndata {}\n{content}", content.len())
                .expect("strings can grow");
        }
        let message = format!("add {count} files");
        let identity = format!("{NAME} <{EMAIL}> {}", self.date());
        let parent = if self.find_head("main").is_some() { "from refs/heads/main^0\n" } else { "" };
        let header = format!(
            "commit refs/heads/main\ncommitter {identity}\ndata {}\n{message}\n{parent}",
            message.len()
        );
        // This gives one pack, as a clone has it, in place of a loose object for every file.
        self.git_with_input(&["fast-import", "--quiet"], &format!("{header}{stream}"));
        self.git(&["reset", "--quiet", "--hard", "main"]);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self
    }

    /// The checked-out tree.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes a file into the tree, with the directories above it.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .unwrap_or_else(|error| panic!("could not create {parent}: {error}"));
        }
        fs::write(&path, content).unwrap_or_else(|error| panic!("could not write {path}: {error}"));
        self
    }

    /// [`Repository::file`], executable.
    pub fn program(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;

        self.file(path, content);
        let path = self.path.join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .unwrap_or_else(|error| panic!("could not make {path} executable: {error}"));
        self
    }

    /// Commits the whole tree as it is, also where nothing has changed.
    pub fn commit(&self, message: &str) -> CommitSha {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.sha(&self.git(&["rev-parse", "HEAD"]))
    }

    /// The commit that a branch is at.
    pub fn head(&self, branch: &str) -> CommitSha {
        self.find_head(branch)
            .unwrap_or_else(|| panic!("there is no branch `{branch}` in {}", self.path))
    }

    /// The commit that a branch is at, where there is such a branch.
    #[must_use]
    pub fn find_head(&self, branch: &str) -> Option<CommitSha> {
        let reference = format!("refs/heads/{branch}^{{commit}}");
        let output = self.output(&["rev-parse", "--quiet", "--verify", &reference], "");
        output.status.success().then(|| self.sha(&text(&output.stdout)))
    }

    /// The content of a file of a commit: `main:greet.sh`.
    #[must_use]
    pub fn show(&self, object: &str) -> String {
        let output = self.output(&["cat-file", "blob", object], "");
        assert!(output.status.success(), "`{object}` is not a file in {}", self.path);
        text(&output.stdout)
    }

    /// Runs git in the tree and returns what it printed, without white space at the end.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, "")
    }

    /// A git command in the tree, with nothing of the caller's environment but the search path.
    #[must_use]
    pub fn git_command(&self) -> Command {
        let mut command = Command::new("git");
        let path =
            std::env::var_os("PATH").unwrap_or_else(|| OsStr::new("/usr/bin:/bin").to_owned());
        command.current_dir(&self.path).env_clear().env("PATH", path).env("HOME", &self.home);
        command.env("LC_ALL", "C").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), NAME);
            command.env(format!("GIT_{who}_EMAIL"), EMAIL);
            command.env(format!("GIT_{who}_DATE"), self.date());
        }
        command
    }

    fn git_with_input(&self, arguments: &[&str], input: &str) -> String {
        let output = self.output(arguments, input);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "git {arguments:?} in {} failed:\n{stdout}{stderr}",
            self.path
        );
        stdout.trim_end().to_owned()
    }

    fn output(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.git_command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git is installed");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // No command that is given an input here prints before it has read all of it.
        if let Err(error) = stdin.write_all(input.as_bytes()) {
            // Git says why it did not want to read.
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "git {arguments:?}: {error}");
        }
        drop(stdin);
        child.wait_with_output().expect("a child can be waited for")
    }

    /// The date of the next commit.
    fn date(&self) -> String {
        format!("{} +0000", FIRST_DATE + 60 * self.commits.load(Ordering::Relaxed))
    }

    fn sha(&self, text: &str) -> CommitSha {
        CommitSha::new(text.trim()).unwrap_or_else(|error| panic!("git in {}: {error}", self.path))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_calls_give_the_same_commits() {
        let [one, other] = [(); 2].map(|()| Repository::greet().with_files(3));
        assert_eq!(one.head("main"), other.head("main"));
        assert_eq!(
            one.git(&["log", "--format=%s %an %ad", "--date=iso"]),
            "\
            add 3 files Test Author 2026-01-01 00:01:00 +0000\n\
            greet: say hello Test Author 2026-01-01 00:00:00 +0000"
        );
    }

    #[test]
    fn the_tree_and_the_commit_are_the_same() {
        let repository = Repository::empty().with_files(250);
        assert_eq!(repository.git(&["status", "--porcelain"]), "");
        assert_eq!(repository.show("main:many/0002/000249.txt"), "file 249\n");
        let commit = repository.file("sub/new.txt", "new\n").commit("add one more");
        assert_eq!(repository.head("main"), commit);
        assert_eq!(repository.show("main:sub/new.txt"), "new\n");
        assert_eq!(repository.git(&["ls-files"]).lines().count(), 251);
        assert_eq!(repository.find_head("other"), None);
    }

    #[test]
    fn the_tests_of_greet_pass_until_it_is_broken() {
        let repository = Repository::greet();
        let tests_pass = || {
            Command::new(repository.path().join("tests/run.sh")).output().unwrap().status.success()
        };
        assert!(tests_pass());
        repository.program("greet.sh", "#!/bin/sh\necho Hi\n");
        assert!(!tests_pass());
    }
}
