//! How a Python project is tested.

use super::{RepositoryFiles, TestCommand};

pub(super) fn find(files: &dyn RepositoryFiles) -> Option<TestCommand> {
    let has = |path: &str, word: &str| files.read(path).is_some_and(|text| text.contains(word));
    if files.exists("tox.ini") || has("pyproject.toml", "[tool.tox") || has("setup.cfg", "[tox:") {
        return Some(TestCommand::new("tox", "tox is configured"));
    }
    let pytest = [
        ("pytest.ini", "["),
        ("pyproject.toml", "pytest"),
        ("setup.cfg", "pytest"),
        ("requirements.txt", "pytest"),
    ];
    let dev = ["requirements-dev.txt", "dev-requirements.txt", "requirements/dev.txt"]
        .map(|path| (path, "pytest"));
    let named =
        pytest.into_iter().chain(dev).find(|(path, word)| has(path, word)).map(|(path, _)| path);
    let named = named
        .or_else(|| ["conftest.py", "tests/conftest.py"].into_iter().find(|it| files.exists(it)));
    let runner = runner(files);
    if let Some(path) = named {
        return Some(TestCommand::new(
            format!("{runner}pytest"),
            format!("{path} speaks of pytest"),
        ));
    }
    let is_python = ["pyproject.toml", "setup.py", "setup.cfg"].iter().any(|it| files.exists(it));
    let tests = ["tests", "test"].into_iter().find(|it| files.exists(it))?;
    is_python.then(|| {
        let run = format!("{runner}python3 -m unittest discover -s {tests}");
        TestCommand::new(run, format!("a Python project with a directory `{tests}`"))
    })
}

/// What puts the project's own environment in front.
fn runner(files: &dyn RepositoryFiles) -> &'static str {
    if files.exists("uv.lock") {
        "uv run "
    } else if files.exists("poetry.lock") {
        "poetry run "
    } else {
        ""
    }
}
