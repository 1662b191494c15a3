//! The machine: free room, and programs that answer.

use std::io;

use async_trait::async_trait;
use camino::Utf8Path;
use ports::{Agent, AgentCheck, AgentError, AgentProfile, Machine, Room};
use tokio::fs;

/// This machine.
pub(crate) struct ThisMachine;

#[async_trait]
impl Machine for ThisMachine {
    async fn room(&self, dir: &Utf8Path) -> io::Result<Room> {
        let disk_bytes = fs4::available_space(dir)?;
        // Where there is no such file nobody says how much memory is free.
        let memory = fs::read_to_string("/proc/meminfo").await.ok();
        Ok(Room { disk_bytes, memory_bytes: memory.as_deref().and_then(available_bytes) })
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
    fn memory_is_read_in_kib_and_never_made_up() {
        let meminfo = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available_bytes(meminfo), Some(2 * 1024 * 1024));
        for odd in ["", "MemAvailable: many kB", "MemAvailable: 5", "MemAvailable: -1 kB"] {
            assert_eq!(available_bytes(odd), None, "{odd:?}");
        }
    }
}
