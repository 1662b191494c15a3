//! Changes to what decides about gates: said in every verdict, because a person has to look at them.
//!
//! Definitions and configuration cannot help the branch that changes them: its gates are pinned. What a command runs
//! is the branch's own, so that its build files are named as well.

use domain::verdict::{Finding, Severity};
use ports::{ChangeKind, PathChange};

/// Files that commonly say what a test command runs.
const BUILD_FILES: &[&str] = &[
    "GNUmakefile",
    "Makefile",
    "makefile",
    "Justfile",
    "justfile",
    "Taskfile.yml",
    "package.json",
    "tox.ini",
    "noxfile.py",
    "pytest.ini",
    "setup.cfg",
    "conftest.py",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
];

/// The build files that a branch changes: what its test command runs may not be what it ran before.
pub(crate) fn build_files(changes: &[PathChange]) -> Vec<&str> {
    let is_build_file =
        |path: &&str| BUILD_FILES.contains(&path.rsplit('/').next().unwrap_or(path));
    changes.iter().map(|change| change.path.as_str()).filter(is_build_file).take(3).collect()
}

/// A finding for each change to the configuration or the definitions.
pub(crate) fn flag(changes: &[PathChange]) -> Vec<Finding> {
    let flagged = changes.iter().filter(|change| {
        change.path == "gatewright.toml" || change.path.starts_with(".gatewright/")
    });
    flagged.map(|PathChange { path, kind }| {
        let what = match kind {
            ChangeKind::Added => "adds",
            ChangeKind::Modified => "changes",
            ChangeKind::Deleted => "deletes",
        };
        Finding {
            severity: Severity::Advisory,
            path: Some(path.clone()),
            line: None,
            message: format!("this branch {what} `{path}`, which decides about gates: a person has to approve that"),
            rule: Some("gate-config".to_owned()),
        }
    }).collect()
}
