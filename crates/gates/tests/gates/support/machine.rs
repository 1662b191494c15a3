//! A machine that has as much room as it is told.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use ports::{Agent, AgentCheck, AgentError, AgentProfile, Machine, Room, Taken};

#[derive(Default)]
pub(crate) struct FakeMachine {
    disk_bytes: AtomicU64,
    is_silent: AtomicBool,
}

impl FakeMachine {
    /// From now on that much is free.
    pub(crate) fn has_room(&self, bytes: u64) {
        self.disk_bytes.store(bytes, Ordering::SeqCst);
    }

    /// From now on it cannot be asked.
    pub(crate) fn falls_silent(&self) {
        self.is_silent.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Machine for FakeMachine {
    async fn room(&self, _dir: &Utf8Path) -> io::Result<Room> {
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        Ok(Room { disk_bytes: self.disk_bytes.load(Ordering::SeqCst), memory_bytes: None })
    }

    async fn measure(&self, _places: &[Utf8PathBuf]) -> Vec<Taken> {
        panic!("gates measure nothing");
    }

    async fn check_agent(
        &self,
        _agent: &dyn Agent,
        _profile: &AgentProfile,
        _path: &str,
    ) -> Result<AgentCheck, AgentError> {
        panic!("gates start no agents");
    }
}
