//! Who may depend on whom, and which crate owns which third-party crate.
//!
//! The rules themselves are data in `tests/layering.rs`.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, Result, ensure};

/// Our crates and what each one uses outside its tests.
pub type Graph = BTreeMap<String, Vec<String>>;

/// What is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// For each of our crates, those of ours that it may use.
    pub layers: &'a [(&'a str, &'a [&'a str])],
    /// Third-party crates that only the listed crates of ours may use.
    pub owners: &'a [(&'a str, &'a [&'a str])],
    /// Crates of ours that may use the listed third-party crates and no others.
    pub pure: &'a [(&'a str, &'a [&'a str])],
}

/// Finds every dependency that the rules do not allow, and rules about crates that do not exist.
pub fn violations(graph: &Graph, rules: Rules<'_>) -> Vec<String> {
    let unknown = rules.layers.iter().filter(|(name, _)| !graph.contains_key(*name));
    let mut found: Vec<_> = unknown
        .map(|(name, _)| format!("`{name}` has a rule but is no crate of the workspace"))
        .collect();
    for (name, dependencies) in graph {
        let Some(allowed) = find(rules.layers, name) else {
            found.push(format!("`{name}` has no rule: say what it may use"));
            continue;
        };
        for dependency in dependencies {
            if graph.contains_key(dependency) {
                if !allowed.contains(&dependency.as_str()) {
                    found.push(format!(
                        "`{name}` must not depend on `{dependency}`; of ours it may use {}",
                        list(allowed)
                    ));
                }
                continue;
            }
            if let Some(owners) = find(rules.owners, dependency)
                && !owners.contains(&name.as_str())
            {
                found.push(format!(
                    "`{name}` must not depend on `{dependency}`, which belongs to {}",
                    list(owners)
                ));
            }
            if let Some(permitted) = find(rules.pure, name)
                && !permitted.contains(&dependency.as_str())
            {
                found.push(format!(
                    "`{name}` must not depend on `{dependency}`; of others' it may use {}",
                    list(permitted)
                ));
            }
        }
    }
    found
}

/// Asks cargo what our crates depend on. Dependencies of tests are left out: they reach no user.
pub fn workspace_graph() -> Result<Graph> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(crate::tree::root())
        .output()
        .context("could not start cargo")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(package).collect()
}

fn package(package: &serde_json::Value) -> Result<(String, Vec<String>)> {
    let text = |value: &serde_json::Value| {
        value.as_str().map(str::to_owned).context("a package without a name")
    };
    let dependencies =
        package["dependencies"].as_array().context("a package without dependencies")?;
    let used = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
    Ok((
        text(&package["name"])?,
        used.map(|dependency| text(&dependency["name"])).collect::<Result<_>>()?,
    ))
}

fn find<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { format!("`{}`", names.join("`, `")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules<'_> = Rules {
        layers: &[("domain", &[]), ("engine", &["domain"]), ("store", &["domain"])],
        owners: &[("rusqlite", &["store"])],
        pure: &[("domain", &["serde"])],
    };

    fn graph(crates: &[(&str, &[&str])]) -> Graph {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        crates
            .iter()
            .map(|(name, dependencies)| ((*name).to_owned(), owned(dependencies)))
            .collect()
    }

    #[test]
    fn a_graph_that_follows_the_rules_has_no_violations() {
        let graph = graph(&[
            ("domain", &["serde"]),
            ("engine", &["domain", "tokio"]),
            ("store", &["domain", "rusqlite"]),
        ]);
        assert_eq!(violations(&graph, RULES), [""; 0]);
    }

    #[test]
    fn a_dependency_upwards_is_found() {
        let graph = graph(&[("domain", &["engine"]), ("engine", &[]), ("store", &[])]);
        assert_eq!(
            violations(&graph, RULES),
            ["`domain` must not depend on `engine`; of ours it may use nothing"]
        );
    }

    #[test]
    fn a_dependency_sideways_is_found() {
        let graph = graph(&[("domain", &[]), ("engine", &["store"]), ("store", &[])]);
        assert_eq!(
            violations(&graph, RULES),
            ["`engine` must not depend on `store`; of ours it may use `domain`"]
        );
    }

    #[test]
    fn a_third_party_crate_outside_its_owner_is_found() {
        let graph = graph(&[("domain", &[]), ("engine", &["rusqlite"]), ("store", &[])]);
        assert_eq!(
            violations(&graph, RULES),
            ["`engine` must not depend on `rusqlite`, which belongs to `store`"]
        );
    }

    #[test]
    fn a_pure_crate_may_use_only_what_is_listed() {
        let graph = graph(&[("domain", &["tokio"]), ("engine", &[]), ("store", &[])]);
        assert_eq!(
            violations(&graph, RULES),
            ["`domain` must not depend on `tokio`; of others' it may use `serde`"]
        );
    }

    #[test]
    fn a_crate_without_a_rule_and_a_rule_without_a_crate_are_found() {
        let graph = graph(&[("domain", &[]), ("engine", &[]), ("helpers", &[])]);
        assert_eq!(
            violations(&graph, RULES),
            [
                "`store` has a rule but is no crate of the workspace",
                "`helpers` has no rule: say what it may use"
            ]
        );
    }
}
