//! The dependency direction between our crates, as data.
//!
//! `ARCHITECTURE.md` explains why; this test is what makes it true. Dependencies of tests are free.

use xtask::layering::{Rules, violations, workspace_graph};

/// Who may use whom of ours. `testkit` and `chaos` stand in no list of the product's: they are for tests and measurements
/// only. That keeps failpoints out of it: `chaos` alone has any.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("engine", &["domain", "ports"]),
    ("store-sqlite", &["domain", "ports"]),
    ("config", &["domain", "ports"]),
    ("git", &["domain", "ports"]),
    ("sandbox", &["domain", "ports"]),
    ("agents", &["domain", "ports"]),
    ("gates", &["domain", "ports"]),
    ("integrations", &["domain", "ports"]),
    ("api", &["domain"]),
    ("cli", EVERYTHING),
    ("testkit", &["domain", "ports", "engine", "store-sqlite"]),
    ("chaos", &["domain", "ports", "engine", "cli", "testkit"]),
    ("benches", EVERYTHING_AND_TESTKIT),
    ("xtask", &[]),
];

/// Only the composition root sees all of us.
const EVERYTHING: &[&str] = &[
    "domain",
    "ports",
    "engine",
    "store-sqlite",
    "config",
    "git",
    "sandbox",
    "agents",
    "gates",
    "integrations",
    "api",
];

/// Measures any of it, and reaches no user.
const EVERYTHING_AND_TESTKIT: &[&str] = &[
    "domain",
    "ports",
    "engine",
    "store-sqlite",
    "config",
    "git",
    "sandbox",
    "agents",
    "gates",
    "integrations",
    "api",
    "testkit",
];

/// Third-party crates with few owners.
const OWNERS: &[(&str, &[&str])] = &[
    // SQL and its types end at the store. `benches` measures what SQLite does without us.
    ("rusqlite", &["benches", "store-sqlite"]),
    // Words for people are the command line's.
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("comfy-table", &["cli"]),
    ("indicatif", &["cli"]),
    ("owo-colors", &["cli"]),
    // `config` attaches file and line to its errors, `cli` draws them.
    ("miette", &["cli", "config"]),
    // An error that nobody distinguishes: only where the next step is to print it.
    ("anyhow", &["benches", "cli", "xtask"]),
    // Templates of briefs.
    ("minijinja", &["config"]),
    // Agents write YAML; the gate that reads it is the only one to trust a parser with it.
    ("serde_yaml_ng", &["gates"]),
    // Processes: namespaces, process groups, limits. `git` and `integrations` need it to stop what they start with all
    // its children.
    ("nix", &["git", "integrations", "sandbox"]),
    // A server only in tests, until the product has one.
    ("axum", &["testkit"]),
];

/// The domain does no I/O, knows no time and no chance: nothing in this list can.
const PURE: &[(&str, &[&str])] =
    &[("domain", &["camino", "globset", "jiff", "serde", "strum", "thiserror", "uuid"])];

#[test]
fn crates_depend_only_on_what_their_layer_allows() {
    let graph = workspace_graph().expect("cargo describes the workspace");
    let found = violations(&graph, Rules { layers: LAYERS, owners: OWNERS, pure: PURE });
    assert!(found.is_empty(), "layering is broken:\n{}", found.join("\n"));
}
