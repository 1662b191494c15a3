//! The machine that everything runs on: how much room it has, and whether programs answer.

use std::io;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{Agent, AgentCheck, AgentError, AgentProfile};

/// What is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes on the disk that was asked about.
    pub disk_bytes: u64,
    /// Bytes of memory that a new program could have, where the machine says so.
    pub memory_bytes: Option<u64>,
}

/// What a file or a directory takes on its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which one.
    pub place: Utf8PathBuf,
    /// What was counted.
    pub bytes: u64,
    /// Whether all of it was.
    pub is_whole: bool,
}

/// Whether the system said that a disk, or somebody's share of it, is full.
#[must_use]
pub fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The machine.
#[async_trait]
pub trait Machine: Send + Sync {
    /// How much room there is, on the disk of `dir` and in memory. An error where `dir` cannot be reached.
    async fn room(&self, dir: &Utf8Path) -> io::Result<Room>;

    /// How many bytes each of these files and directories takes on its disk, as far as a look of bounded length goes:
    /// each has its share of it.
    async fn measure(&self, places: &[Utf8PathBuf]) -> Vec<Taken>;

    /// Asks the very program that would be started for its version, within seconds; no tokens, no network.
    async fn check_agent(
        &self,
        agent: &dyn Agent,
        profile: &AgentProfile,
        path: &str,
    ) -> Result<AgentCheck, AgentError>;
}
