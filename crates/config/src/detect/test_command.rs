//! How a repository is tested.
//!
//! What its people wrote down as *the* way to test wins over what a build tool would do by itself.

use super::{RepositoryFiles, node, python};

/// A command that tests a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCommand {
    /// The command, a shell line.
    pub run: String,
    /// Why this one: what was found.
    pub why: String,
}

impl TestCommand {
    pub(super) fn new(run: impl Into<String>, why: impl Into<String>) -> Self {
        Self { run: run.into(), why: why.into() }
    }
}

/// The best guess, if there is any.
pub(super) fn find(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let finders = [make, just, cargo, node::find, python::find, go, maven, gradle, script];
    finders.iter().find_map(|find| find(files))
}

fn make(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let name = ["GNUmakefile", "makefile", "Makefile"].into_iter().find(|it| files.exists(it))?;
    let text = files.read(name)?;
    has_target(&text).then(|| TestCommand::new("make test", format!("{name} has a target `test`")))
}

/// Whether a makefile has a rule for `test`; `test := x` is a variable.
fn has_target(makefile: &str) -> bool {
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', ' ', '#', '.']));
    rules.filter_map(|line| line.split_once(':')).any(|(targets, rest)| {
        let is_assignment = rest.starts_with('=') || rest.starts_with(":=");
        !is_assignment && targets.split_whitespace().any(|target| target == "test")
    })
}

fn just(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let name = ["justfile", "Justfile", ".justfile"].into_iter().find(|it| files.exists(it))?;
    let text = files.read(name)?;
    // A recipe may have parameters: `test *args:`. `test := …` is a variable.
    let is_recipe = |line: &str| {
        let line = line.strip_prefix('@').unwrap_or(line);
        line.split_once(':').is_some_and(|(head, rest)| {
            !rest.starts_with('=') && head.split_whitespace().next() == Some("test")
        })
    };
    text.lines()
        .any(is_recipe)
        .then(|| TestCommand::new("just test", format!("{name} has a recipe `test`")))
}

fn cargo(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let manifest = files.read("Cargo.toml")?;
    let is_workspace = manifest.lines().any(|line| line.trim_start().starts_with("[workspace"));
    let run = if is_workspace { "cargo test --workspace" } else { "cargo test" };
    Some(TestCommand::new(run, "Cargo.toml is there"))
}

fn go(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    files.exists("go.mod").then(|| TestCommand::new("go test ./...", "go.mod is there"))
}

fn maven(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let run = if files.exists("mvnw") { "./mvnw -B -q test" } else { "mvn -B -q test" };
    files.exists("pom.xml").then(|| TestCommand::new(run, "pom.xml is there"))
}

fn gradle(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let name = ["build.gradle", "build.gradle.kts"].into_iter().find(|it| files.exists(it))?;
    let run = if files.exists("gradlew") { "./gradlew test" } else { "gradle test" };
    Some(TestCommand::new(run, format!("{name} is there")))
}

fn script(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let path = ["tests/run.sh", "test/run.sh", "run-tests.sh", "test.sh"]
        .into_iter()
        .find(|it| files.exists(it))?;
    Some(TestCommand::new(format!("sh {path}"), format!("{path} is there")))
}
