//! The backends whose sandboxes run under a shim on this machine.

use async_trait::async_trait;
use camino::Utf8Path;
use ports::{OutputStream, Sandbox, SandboxError, SandboxSpec, SandboxStatus};

use crate::{
    bubblewrap::{self, Knobs},
    check, check_spec, launch, logs,
    order::{Order, Wall},
    remove, status, stop, wait,
};

/// A shim and a wall.
pub(crate) struct Shimmed {
    name: &'static str,
    wall: Wall,
    shim: Vec<String>,
}

impl Shimmed {
    /// `shim` is not empty and begins with an absolute path.
    pub(crate) fn new(name: &'static str, wall: Wall, shim: Vec<String>) -> Self {
        Self { name, wall, shim }
    }
}

#[async_trait]
impl Sandbox for Shimmed {
    fn backend(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> Result<String, SandboxError> {
        let version = match &self.wall {
            Wall::None => env!("CARGO_PKG_VERSION").to_owned(),
            Wall::Bubblewrap { program } => bubblewrap::version(program).await?,
        };
        check::run_once(self).await?.map_err(|message| {
            let reason = match &self.wall {
                Wall::None => message,
                Wall::Bubblewrap { .. } => bubblewrap::explain(&message, Knobs::read()),
            };
            SandboxError::Unavailable { backend: self.name, reason }
        })?;
        Ok(version)
    }

    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError> {
        check_spec::check_dir(dir)?;
        check_spec::check_spec(spec, &self.wall)?;
        let order = Order {
            version: 1,
            wall: self.wall.clone(),
            shim: self.shim.clone(),
            spec: spec.clone(),
        };
        launch::launch(dir, order).await
    }

    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        status::status(dir).await
    }

    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        wait::for_end(dir).await
    }

    async fn read_log(
        &self,
        dir: &Utf8Path,
        stream: OutputStream,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, SandboxError> {
        logs::read(dir, stream, offset, max).await
    }

    async fn wait_output(&self, dir: &Utf8Path, offset: u64) -> Result<(), SandboxError> {
        wait::for_output(dir, offset).await
    }

    async fn stop(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        stop::stop(dir).await
    }

    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        remove::remove(dir).await
    }
}
