//! Maintenance commands, run as `cargo xtask <command>`.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// What `check` runs, in the order of how soon each one answers.
const CHECK: &[&[&str]] = &[
    &["xfmt", "--check"],
    &["test", "--package", "xtask"],
    &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
];

/// The program that plays histories, built for speed.
const SIMULATE: &[&str] = &[
    "run",
    "--quiet",
    "--profile",
    "simulation",
    "--package",
    "testkit",
    "--bin",
    "simulate",
    "--",
];

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["chaos", ..] => chaos(&arguments[1..]),
        ["check"] => CHECK.iter().try_for_each(|arguments| cargo(arguments)),
        ["simulate", ref options @ ..] => cargo(&[SIMULATE, options].concat()),
        _ => bail!(
            "usage: cargo xtask check       formatting, house rules, layering and lints: all that needs no running product
       cargo xtask simulate    whole histories with faults, from seeds; --help lists its options
       cargo xtask chaos       kills the product again and again and counts what it did; --help says more"
        ),
    }
}

/// Builds the product with failpoints beside the driver, and lets the driver loose.
fn chaos(arguments: &[String]) -> Result<()> {
    cargo(&["build", "--quiet", "--package", "chaos", "--bins"])?;
    let run = ["run", "--quiet", "--package", "chaos", "--bin", "chaos", "--"];
    cargo(&run.into_iter().chain(arguments.iter().map(String::as_str)).collect::<Vec<_>>())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(xtask::tree::root())
        .status()
        .with_context(|| format!("could not start cargo {}", arguments.join(" ")))?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
