//! A sandbox that only notes when it was asked to start an agent.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use ports::{
    ExitRecord, OutputStream, Sandbox, SandboxEnd, SandboxError, SandboxSpec, SandboxStatus,
};

/// Everything that is started in it has ended well at once.
#[derive(Default)]
pub(crate) struct Recorder {
    launches: Mutex<BTreeMap<Utf8PathBuf, Instant>>,
}

impl Recorder {
    /// When the sandbox in `dir` was asked for.
    pub(crate) fn launched_at(&self, dir: &Utf8Path) -> Option<Instant> {
        self.launches().get(dir).copied()
    }

    fn launches(&self) -> MutexGuard<'_, BTreeMap<Utf8PathBuf, Instant>> {
        self.launches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Sandbox for Recorder {
    fn backend(&self) -> &'static str {
        "recorder"
    }

    async fn check(&self) -> Result<String, SandboxError> {
        Ok("1".to_owned())
    }

    async fn launch(&self, dir: &Utf8Path, _: &SandboxSpec) -> Result<(), SandboxError> {
        self.launches().entry(dir.to_owned()).or_insert_with(Instant::now);
        Ok(())
    }

    async fn status(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        let at = Timestamp::UNIX_EPOCH;
        let record = ExitRecord {
            version: 1,
            started_at: at,
            ended_at: at,
            end: SandboxEnd::Exited { code: 0 },
            leftovers_killed: 0,
            log_cut: false,
        };
        let launched = self.launched_at(dir).is_some();
        Ok(if launched { SandboxStatus::Ended(record) } else { SandboxStatus::Absent })
    }

    async fn wait(&self, dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
        self.status(dir).await
    }

    async fn read_log(
        &self,
        _: &Utf8Path,
        _: OutputStream,
        _: u64,
        _: usize,
    ) -> Result<Vec<u8>, SandboxError> {
        Ok(Vec::new())
    }

    async fn wait_output(&self, _: &Utf8Path, _: u64) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn stop(&self, _: &Utf8Path) -> Result<(), SandboxError> {
        Ok(())
    }

    async fn remove(&self, dir: &Utf8Path) -> Result<(), SandboxError> {
        self.launches().remove(dir);
        Ok(())
    }
}
