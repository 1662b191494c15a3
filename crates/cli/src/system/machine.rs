//! The machine: free room, and programs that answer.

use std::{io, os::unix::fs::MetadataExt as _, sync::Arc};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use ports::{Agent, AgentCheck, AgentError, AgentProfile, Machine, Room};
use tokio::{fs, sync::Semaphore};

/// Files and directories that are measured at most: seconds, where the disk is slow.
const ENTRIES_MAX: u32 = 100_000;

/// This machine.
pub(crate) struct ThisMachine {
    /// Whose turn it is to ask the disk.
    disk: Arc<Semaphore>,
}

impl ThisMachine {
    pub(crate) fn new() -> Self {
        Self { disk: Arc::new(Semaphore::new(1)) }
    }
}

#[async_trait]
impl Machine for ThisMachine {
    async fn room(&self, dir: &Utf8Path) -> io::Result<Room> {
        let turn = Arc::clone(&self.disk).try_acquire_owned();
        let turn = turn.map_err(|_| io::Error::other("it has not answered since the last look"))?;
        let dir = dir.to_owned();
        // A disk that is gone from the network lets its callers hang: one thread of ours, and not one with each look.
        let asked = tokio::task::spawn_blocking(move || {
            let space = fs4::available_space(dir);
            drop(turn);
            space
        });
        let disk_bytes = asked.await.map_err(io::Error::other)??;
        // Where there is no such file nobody says how much memory is free.
        let memory = fs::read_to_string("/proc/meminfo").await.ok();
        Ok(Room { disk_bytes, memory_bytes: memory.as_deref().and_then(available_bytes) })
    }

    async fn measure(&self, places: &[Utf8PathBuf]) -> Vec<(Utf8PathBuf, u64)> {
        let Ok(turn) = Arc::clone(&self.disk).try_acquire_owned() else { return Vec::new() };
        let places = places.to_vec();
        let measured = tokio::task::spawn_blocking(move || {
            let mut left = ENTRIES_MAX;
            let sizes = places.into_iter().map(|place| {
                let bytes = bytes_of(&place, &mut left);
                (place, bytes)
            });
            let sizes = sizes.collect();
            drop(turn);
            sizes
        });
        measured.await.unwrap_or_default()
    }

    async fn check_agent(
        &self,
        agent: &dyn Agent,
        profile: &AgentProfile,
        path: &str,
    ) -> Result<AgentCheck, AgentError> {
        agents::check(agent, profile, path).await
    }
}

/// What a file, or everything in a directory, takes on the disk. Links are not followed, and what cannot be read counts
/// for nothing: an agent can have written it.
fn bytes_of(place: &Utf8Path, left: &mut u32) -> u64 {
    const BLOCK: u64 = 512;
    let mut bytes = 0;
    let mut waiting = vec![place.as_std_path().to_owned()];
    while let Some(path) = waiting.pop() {
        let Some(fewer) = left.checked_sub(1) else { break };
        *left = fewer;
        let Ok(metadata) = path.symlink_metadata() else { continue };
        bytes += metadata.blocks() * BLOCK;
        if metadata.is_dir() {
            let entries = path.read_dir().into_iter().flatten().flatten();
            // One directory alone may have more than are looked at.
            waiting.extend(entries.take(*left as usize).map(|entry| entry.path()));
        }
    }
    bytes
}

/// What the kernel thinks could be used without swapping.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_place_takes_is_measured_without_following_links_and_never_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/file"), vec![1; 100_000]).unwrap();
        std::fs::create_dir(root.join("links")).unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("links/a")).unwrap();
        let measure = |place: &str, mut left: u32| bytes_of(&root.join(place), &mut left);
        assert!(measure("a", 100) >= 100_000);
        assert!(measure("links", 100) < 100_000, "a link is not what it points to");
        assert!(measure("a", 2) < 100_000, "two entries are two directories");
        assert_eq!(measure("absent", 100), 0);
    }

    #[test]
    fn memory_is_read_in_kib_and_never_made_up() {
        let meminfo = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available_bytes(meminfo), Some(2 * 1024 * 1024));
        for odd in ["", "MemAvailable: many kB", "MemAvailable: 5", "MemAvailable: -1 kB"] {
            assert_eq!(available_bytes(odd), None, "{odd:?}");
        }
    }
}
