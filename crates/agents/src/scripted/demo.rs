//! The demo: a small real repository, and the item that the scenario `demo` delivers there.

/// A file of the demo repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoFile {
    /// Relative to the root.
    pub path: &'static str,
    /// All of it.
    pub content: &'static str,
    /// Whether it can be started.
    pub executable: bool,
}

/// The command that tests the repository.
pub const DEMO_TESTS: &str = "sh tests/run.sh";
/// What somebody wants, in one line.
pub const DEMO_TITLE: &str = "Add a --version flag to greet";
/// And in a few.
pub const DEMO_DESCRIPTION: &str = include_str!("demo/item.md");

/// The repository as it is before the item: its tests pass.
pub fn demo_repository() -> Vec<DemoFile> {
    let file = |path, content| DemoFile { path, content, executable: false };
    let program = |path, content| DemoFile { path, content, executable: true };
    vec![
        file("README.md", include_str!("demo/README.md")),
        program("bin/greet", include_str!("demo/bin/greet")),
        program("tests/run.sh", include_str!("demo/tests/run.sh")),
    ]
}
