//! What every crate inherits: the workspace's lints, and the root's entries of `clippy.toml`.

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::{complaint::Complaint, tree::TextFile};

/// Finds a package that does not take the workspace's lints.
pub fn lints(manifest: &TextFile) -> Result<Vec<Complaint>> {
    let table: Table = manifest.text.parse().with_context(|| manifest.path.clone())?;
    let inherits =
        table.get("lints").and_then(|lints| lints.get("workspace")) == Some(&Value::Boolean(true));
    let complaint = || Complaint::about(&manifest.path, "needs `[lints] workspace = true`");
    Ok(if inherits || !table.contains_key("package") { Vec::new() } else { vec![complaint()] })
}

/// Finds settings of the root's `clippy.toml` that a crate's own one lacks: Clippy reads the nearest file only.
pub fn clippy(root: &TextFile, of_crate: &TextFile) -> Result<Vec<Complaint>> {
    let expected: Table = root.text.parse().with_context(|| root.path.clone())?;
    let found: Table = of_crate.text.parse().with_context(|| of_crate.path.clone())?;
    let mut complaints = Vec::new();
    for (key, expected) in &expected {
        let missing = |what: String| {
            Complaint::about(&of_crate.path, format!("lacks {what} of the root's clippy.toml"))
        };
        match (expected, found.get(key)) {
            (Value::Array(expected), Some(Value::Array(found))) => {
                let lacking = expected.iter().filter(|entry| !found.contains(entry));
                complaints.extend(lacking.map(|entry| missing(format!("`{entry}` in `{key}`"))));
            }
            (expected, Some(found)) if expected == found => {}
            (expected, _) => complaints.push(missing(format!("`{key} = {expected}`"))),
        }
    }
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_the_lints_is_found() {
        for (text, complaints) in [
            ("[package]\nname = 'a'\n[lints]\nworkspace = true", 0),
            ("[package]\nname = 'a'\n[lints]\nworkspace = false", 1),
            ("[package]\nname = 'a'", 1),
            ("[workspace]", 0),
        ] {
            let found = lints(&TextFile::new("Cargo.toml", text)).expect("a manifest");
            assert_eq!(found.len(), complaints, "{text}");
        }
    }

    #[test]
    fn entries_that_a_crate_forgot_to_repeat_are_found() {
        let root = TextFile::new("clippy.toml", "a = true\nb = [{ path = 'x' }, 'y']");
        let of_crate = TextFile::new("crates/a/clippy.toml", "a = false\nb = ['y', 'z']");
        let found: Vec<_> =
            clippy(&root, &of_crate).expect("two files").iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "crates/a/clippy.toml: lacks `a = true` of the root's clippy.toml",
                "crates/a/clippy.toml: lacks `{ path = \"x\" }` in `b` of the root's clippy.toml",
            ]
        );
    }
}
