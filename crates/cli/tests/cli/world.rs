//! A repository, and the binary that works on it.

use camino::Utf8Path;
use domain::revision::CommitSha;
use serde_json::Value;
use testkit::{
    gatewright::{Bell, Finished, Gatewright, Running},
    repository::Repository,
};

/// A repository with passing tests, and the binary in a world of its own.
pub(crate) struct World {
    pub(crate) gatewright: Gatewright,
    pub(crate) repository: Repository,
    before: CommitSha,
}

/// What a pipeline came to, as `run --json` tells it.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) result: Value,
    pub(crate) stderr: String,
}

pub(crate) fn gatewright() -> Gatewright {
    Gatewright::new(env!("CARGO_BIN_EXE_gatewright"))
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(gatewright())
    }

    pub(crate) fn with(gatewright: Gatewright) -> Self {
        let repository = Repository::greet();
        let before = repository.head("main");
        Self { gatewright, repository, before }
    }

    /// A world with a `command` agent: a shell script.
    pub(crate) fn of_agent(script: &str) -> Self {
        Self::of_agent_with(script, "")
    }

    /// The same, with more in `[agents.it]`.
    pub(crate) fn of_agent_with(script: &str, more: &str) -> Self {
        let world = Self::new();
        world.gatewright.configure_agent_with(script, more, "");
        world
    }

    pub(crate) fn dir(&self) -> &Utf8Path {
        self.repository.path()
    }

    /// Commits a definition `name` of one stage, whose table goes on with `stage`, and of a delivery after it.
    pub(crate) fn define(&mut self, name: &str, stage: &str) {
        let text = format!(
            "name = \"{name}\"\n\n[[stage]]\nname = \"develop\"\nroles = [\"solo\"]\non_pass = \"finish\"\n{stage}\n\n\
             [[stage]]\nname = \"finish\"\naction = \"deliver\"\n"
        );
        self.repository.file(&format!(".gatewright/pipelines/{name}.toml"), text);
        self.before = self.repository.commit("define a pipeline");
    }

    /// Calls the binary in the repository.
    pub(crate) fn call(&self, arguments: &[&str]) -> Finished {
        self.gatewright.run(self.dir(), arguments)
    }

    /// The same with something on its standard input.
    pub(crate) fn call_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let file = self.gatewright.home().join("input");
        std::fs::write(&file, input).expect("a home can be written to");
        let mut command = self.gatewright.command(self.dir(), arguments);
        command.stdin(std::fs::File::open(&file).expect("it was just written"));
        Running::start(&mut command).finish()
    }

    /// One whose agent rings that it has started, and waits until it is told to end.
    pub(crate) fn of_waiting_agent() -> (Self, Bell, Bell) {
        let world = Self::new();
        let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
        world.gatewright.configure_agent(&format!(
            "echo started > {}; read now < {}; echo new > new.txt",
            started.path(),
            end.path()
        ));
        (world, started, end)
    }

    /// Starts `run` for a new item that is to be merged.
    pub(crate) fn start(&self) -> Running {
        self.gatewright.start(self.dir(), &["run", "Add a file", "--merge", "--json"])
    }

    /// Runs a new item that is to be merged to its end.
    pub(crate) fn deliver(&self) -> Told {
        Told::of(&self.start().finish())
    }

    pub(crate) fn deliver_with(&self, more: &[&str]) -> Told {
        let arguments = [&["run", "Add a file", "--merge", "--json"], more].concat();
        Told::of(&self.call(&arguments))
    }

    /// Goes on with the first item.
    pub(crate) fn resume(&self) -> Running {
        self.gatewright.start(self.dir(), &["run", "--resume", "IT-001", "--json"])
    }

    /// Whatever happened: the branch and the tree of the people are as they were, and no branch has come.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(self.repository.head("main"), self.before, "main was moved");
        assert_eq!(self.repository.git(&["status", "--porcelain"]), "", "the tree was changed");
        assert_eq!(self.repository.git(&["branch", "--format=%(refname:short)"]), "main");
    }

    /// No pipeline, no run, no workspace, no branch.
    pub(crate) fn assert_nothing_was_begun(&self) {
        assert_nothing_was_begun(&self.gatewright);
        assert!(!self.repository.git(&["branch", "--list"]).contains("feature/"));
    }

    /// `main` is a merge of the pipeline's branch, and the tree shows it.
    pub(crate) fn assert_merged(&self, told: &Told) {
        assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
        let merged = self.repository.head("main");
        assert_eq!(told.result["merged_commit"], merged.to_string());
        assert_eq!(self.repository.git(&["rev-parse", "main^1"]), self.before.to_string());
        assert_eq!(self.repository.git(&["rev-parse", "main^2"]), told.text("head"));
        assert_eq!(
            self.repository.git(&["status", "--porcelain"]),
            "",
            "the tree does not show main"
        );
    }

    /// The briefs of all runs, oldest first.
    pub(crate) fn briefs(&self) -> Vec<String> {
        briefs(&self.gatewright.data_dir())
    }
}

/// No pipeline, no run, no workspace.
pub(crate) fn assert_nothing_was_begun(gatewright: &Gatewright) {
    for place in ["workspaces", "runs"] {
        let place = gatewright.data_dir().join(place);
        let entries = place.read_dir().map_or(0, Iterator::count);
        assert_eq!(entries, 0, "{place} is not empty");
    }
    if gatewright.data_dir().exists() {
        let listed = gatewright.run(&gatewright.home(), &["pipeline", "list", "--json"]);
        assert_eq!(listed.code(), Some(0), "{listed:#?}");
        assert_eq!(listed.json(), serde_json::json!([]), "{listed:#?}");
    }
}

/// The briefs of all runs below a data directory, oldest first.
pub(crate) fn briefs(data_dir: &Utf8Path) -> Vec<String> {
    let runs = data_dir.join("runs");
    let entries = runs.read_dir_utf8().unwrap_or_else(|error| panic!("{runs}: {error}"));
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("a readable directory").path().join("brief.md")).collect();
    // A run's name begins with its time.
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect()
}

impl Told {
    pub(crate) fn of(finished: &Finished) -> Self {
        Self { code: finished.code(), result: finished.json(), stderr: finished.stderr.clone() }
    }

    /// Its status and the exit code.
    pub(crate) fn outcome(&self) -> (&str, Option<i32>) {
        (self.text("status"), self.code)
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.result[key].as_str().unwrap_or_default()
    }

    /// It waits for a person, and says why in one sentence that holds `words`.
    pub(crate) fn assert_blocked(&self, words: &str) {
        assert_eq!(self.outcome(), ("blocked", Some(3)), "{self:#?}");
        let reason = self.text("reason");
        assert!(reason.contains(words), "`{words}` is not in: {reason}");
        assert!(!reason.contains('\n'), "more than a sentence: {reason}");
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n{:#}\n{}", self.code, self.result, self.stderr)
    }
}

/// An error in our format: what, with the offending value, then what to do.
pub(crate) fn assert_error(finished: &Finished, code: i32, error: &str, help: &str) {
    assert_eq!(finished.code(), Some(code), "{finished:#?}");
    assert_eq!(finished.stdout, "", "{finished:#?}");
    let line = |start: &str| {
        finished.stderr.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default()
    };
    assert!(line("error: ").contains(error), "`{error}` is not the error of {finished:#?}");
    assert!(line("help: ").contains(help), "`{help}` is not the help of {finished:#?}");
}
