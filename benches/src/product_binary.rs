//! The program that people run, built like this one.

use std::{env, process::Command};

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::workshop;

/// The `gatewright` beside this program.
pub(crate) struct ProductBinary {
    pub(crate) path: Utf8PathBuf,
}

impl ProductBinary {
    /// Brings it up to date, so that one command measures what is in the tree.
    pub(crate) fn build() -> Result<Self> {
        let cargo =
            env::var_os("CARGO").context("start this with `cargo run --release -p benches`")?;
        let mut command = Command::new(cargo);
        command.args(["build", "--package", "cli"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let status = command.status().context("could not start cargo")?;
        ensure!(status.success(), "gatewright could not be built");
        let program = workshop::program()?;
        let directory = program.parent().unwrap_or(Utf8Path::new("."));
        Ok(Self { path: directory.join("gatewright") })
    }

    /// The command line that makes it the shim.
    pub(crate) fn shim(&self) -> Vec<String> {
        vec![self.path.to_string(), "shim".to_owned()]
    }
}
