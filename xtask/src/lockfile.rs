//! What gets into the build: registries only, and nothing that `deny.toml` bans.
//!
//! The same rules hold in `cargo deny`, which also looks at licences and advisories; this needs no tool and no network.

use anyhow::{Context, Result};
use toml::Table;

use crate::{complaint::Complaint, tree::TextFile};

/// Finds packages from elsewhere than a registry, and banned ones.
pub fn complaints(lock: &TextFile, deny: &str) -> Result<Vec<Complaint>> {
    let banned = banned(deny).context("deny.toml")?;
    let table: Table = lock.text.parse().with_context(|| lock.path.clone())?;
    let packages = table
        .get("package")
        .and_then(|packages| packages.as_array())
        .context("a lock file without packages")?;
    let mut found = Vec::new();
    for package in packages {
        let name = package
            .get("name")
            .and_then(|name| name.as_str())
            .context("a package without a name")?;
        // Our own crates have no source.
        let source = package.get("source").and_then(|source| source.as_str());
        if let Some(source) = source.filter(|source| !source.starts_with("registry+")) {
            found.push(Complaint::about(
                &lock.path,
                format!("`{name}` comes from {source}, not from a registry"),
            ));
        }
        if banned.iter().any(|banned| banned == name) {
            found.push(Complaint::about(&lock.path, format!("`{name}` is banned by deny.toml")));
        }
    }
    Ok(found)
}

fn banned(deny: &str) -> Result<Vec<String>> {
    let table: Table = deny.parse()?;
    let list = table.get("bans").and_then(|bans| bans.get("deny")).and_then(|deny| deny.as_array());
    let name =
        |entry: &toml::Value| entry.get("crate").and_then(|name| name.as_str()).map(str::to_owned);
    list.context("no list `bans.deny`")?
        .iter()
        .map(|entry| name(entry).context("an entry without `crate`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[bans]\ndeny = [{ crate = 'openssl', reason = 'rustls' }]";

    fn complaints_about(lock: &str) -> Vec<String> {
        let found = complaints(&TextFile::new("Cargo.lock", lock), DENY).expect("readable files");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn packages_from_git_are_found() {
        let found = complaints_about(
            "[[package]]\nname = 'fork'\nsource = 'git+https://example.invalid/fork'",
        );
        assert_eq!(
            found,
            ["Cargo.lock: `fork` comes from git+https://example.invalid/fork, not from a registry"]
        );
    }

    #[test]
    fn banned_packages_are_found_and_ours_are_not() {
        let found = complaints_about(
            "[[package]]\nname = 'domain'\n[[package]]\nname = 'openssl'\nsource = 'registry+https://example.invalid'",
        );
        assert_eq!(found, ["Cargo.lock: `openssl` is banned by deny.toml"]);
    }
}
