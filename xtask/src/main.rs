//! Maintenance commands, run as `cargo xtask <command>`.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// What `check` runs, in the order of how soon each one answers.
const CHECK: &[&[&str]] = &[
    &["xfmt", "--check"],
    &["test", "--package", "xtask"],
    &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
];

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check"] => CHECK.iter().try_for_each(|arguments| cargo(arguments)),
        _ => bail!(
            "usage: cargo xtask check    formatting, house rules, layering and lints: all that needs no running product"
        ),
    }
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
