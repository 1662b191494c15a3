//! The sandbox, with every call that acts in the way of failpoints.

use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8Path;
use ports::{OutputStream, Sandbox, SandboxError, SandboxSpec, SandboxStatus};
use testkit::world::Calls;

/// The engine's way to its sandbox.
pub(super) struct WatchedSandbox {
    sandbox: Arc<dyn Sandbox>,
    calls: Arc<Calls>,
}

impl WatchedSandbox {
    pub(super) fn new(sandbox: Arc<dyn Sandbox>, calls: Arc<Calls>) -> Self {
        Self { sandbox, calls }
    }
}

#[async_trait]
impl Sandbox for WatchedSandbox {
    fn backend(&self) -> &'static str {
        self.sandbox.backend()
    }

    async fn check(&self) -> Result<String, SandboxError> {
        self.calls.make("sandbox.check", self.sandbox.check()).await
    }

    async fn launch(&self, dir: &Utf8Path, spec: &SandboxSpec) -> Result<(), SandboxError> {
        // The agent's own launch has a name of its own, so that a point need not count our steps inside.
        let call = if dir.file_name() == Some("agent") { "agent.launch" } else { "sandbox.launch" };
        self.calls.make(call, self.sandbox.launch(dir, spec)).await
    }

    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        self.calls.make("sandbox.status", self.sandbox.status(dir)).await
    }

    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        self.calls.make("sandbox.wait", self.sandbox.wait(dir)).await
    }

    async fn read_log(
        &self,
        dir: &Utf8Path,
        stream: OutputStream,
        offset: u64,
        max: usize,
    ) -> Result<Vec<u8>, SandboxError> {
        self.calls.make("sandbox.read_log", self.sandbox.read_log(dir, stream, offset, max)).await
    }

    async fn wait_output(&self, dir: &Utf8Path, offset: u64) -> Result<(), SandboxError> {
        self.calls.make("sandbox.wait_output", self.sandbox.wait_output(dir, offset)).await
    }

    async fn stop(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        self.calls.make("sandbox.stop", self.sandbox.stop(dir)).await
    }

    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        self.calls.make("sandbox.remove", self.sandbox.remove(dir)).await
    }
}
