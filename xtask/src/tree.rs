//! Reads the source tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Directories that hold nothing of ours.
const NOT_OURS: &[&str] = &[".git", "node_modules", "target"];

/// A text file of the workspace.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Relative to the workspace, with `/` between names.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl TextFile {
    /// A made-up file, for the tests of the checks.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether its name ends in `.extension`.
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// The directory of the workspace.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the workspace").to_owned()
}

/// Every file of the workspace that is UTF-8, sorted by path.
pub fn text_files() -> Result<Vec<TextFile>> {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The Rust files among [`text_files`].
pub fn rust_files() -> Result<Vec<TextFile>> {
    Ok(text_files()?.into_iter().filter(|file| file.has_extension("rs")).collect())
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<TextFile>) -> Result<()> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("could not list {}", directory.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("could not list {}", directory.display()))?;
        let path = entry.path();
        let kind =
            entry.file_type().with_context(|| format!("could not look at {}", path.display()))?;
        if kind.is_dir() {
            if !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                collect(root, &path, files)?;
            }
        } else if kind.is_file() {
            let bytes =
                fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
            if let Ok(text) = String::from_utf8(bytes) {
                let relative = path.strip_prefix(root).expect("found below the root");
                files.push(TextFile { path: relative.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_holds_this_file_and_nothing_that_was_built() {
        let files = text_files().expect("a readable tree");
        assert!(files.iter().any(|file| file.path == "xtask/src/tree.rs"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
