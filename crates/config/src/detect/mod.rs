//! Looks at a repository: how it is tested, what it is written in, what it should be called.
//!
//! Pure: the files come through [`RepositoryFiles`].

mod key;
mod node;
mod python;
mod test_command;

pub use key::project_key;
pub use test_command::TestCommand;

/// The files of a repository.
pub trait RepositoryFiles {
    /// The text of the file at `path`, relative to the root; `None` where there is none or it is not text.
    fn read(&self, path: &str) -> Option<String>;

    /// Whether there is a file or directory at `path`.
    fn exists(&self, path: &str) -> bool;
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// How it is tested, best guess first.
    pub test_command: Option<TestCommand>,
    /// What it is written in, as far as its build files say.
    pub languages: Vec<&'static str>,
    /// Places in a home directory that its toolchains live in: `.cargo`.
    pub home_places: Vec<&'static str>,
}

/// A language: the build files that tell it, and where its toolchain lives below a home directory.
const LANGUAGES: &[(&str, &[&str], &[&str])] = &[
    ("Rust", &["Cargo.toml"], &[".cargo", ".rustup"]),
    ("JavaScript", &["package.json"], &[".nvm", ".volta", ".local/share/pnpm", ".bun"]),
    (
        "Python",
        &["pyproject.toml", "setup.py", "requirements.txt", "tox.ini"],
        &[".pyenv", ".local/bin", ".local/lib", ".local/share/uv"],
    ),
    ("Go", &["go.mod"], &["go", ".local/go"]),
    ("Java", &["pom.xml", "build.gradle", "build.gradle.kts"], &[".sdkman", ".m2", ".gradle"]),
];

/// Looks at a repository.
#[must_use]
pub fn detect(files: &dyn RepositoryFiles) -> Detected {
    let is_there = |build_files: &[&str]| build_files.iter().any(|it| files.exists(it));
    let found = LANGUAGES.iter().filter(|(_, build_files, _)| is_there(build_files));
    let (mut languages, mut home_places) = (Vec::new(), Vec::new());
    for (language, _, places) in found {
        languages.push(*language);
        home_places.extend_from_slice(places);
    }
    Detected { test_command: test_command::find(files), languages, home_places }
}

#[cfg(test)]
mod tests;
