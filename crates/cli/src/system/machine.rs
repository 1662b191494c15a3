//! The machine: free room, and programs that answer.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use ports::{Agent, AgentCheck, AgentError, AgentProfile, Machine, Room, Taken};
use tokio::{fs, sync::Semaphore};

/// Files and directories of one place that are measured at most: their names are kept meanwhile.
const ENTRIES_MAX: usize = 100_000;
/// How long all places together are measured at most, each for its share: a little less than whoever asks waits.
const MEASURE_TIME: Duration = Duration::from_secs(2);

/// This machine.
pub(crate) struct ThisMachine {
    /// Whose turn it is to ask the disk.
    disk: Arc<Semaphore>,
    /// Whose turn it is to measure. Another one: whoever measures must not make the disk look as if it did not answer.
    measuring: Arc<Semaphore>,
}

impl ThisMachine {
    pub(crate) fn new() -> Self {
        Self { disk: Arc::new(Semaphore::new(1)), measuring: Arc::new(Semaphore::new(1)) }
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

    async fn measure(&self, places: &[Utf8PathBuf]) -> Vec<Taken> {
        let Ok(turn) = Arc::clone(&self.measuring).try_acquire_owned() else { return Vec::new() };
        let places = places.to_vec();
        let measured = tokio::task::spawn_blocking(move || {
            let taken = measure_in(MEASURE_TIME, places);
            drop(turn);
            taken
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

/// Each place has its share of the time that is left: a large one hides none behind it.
fn measure_in(time: Duration, places: Vec<Utf8PathBuf>) -> Vec<Taken> {
    let end = Instant::now() + time;
    let mut waiting = u32::try_from(places.len()).unwrap_or(u32::MAX);
    let mut taken = Vec::new();
    for place in places {
        let now = Instant::now();
        let share = end.saturating_duration_since(now) / waiting.max(1);
        waiting = waiting.saturating_sub(1);
        taken.push(taken_by(place, ENTRIES_MAX, now + share));
    }
    taken
}

/// What a file, or everything in a directory, takes on the disk. Links are not followed, and what cannot be read counts
/// for nothing: an agent can have written it.
fn taken_by(place: Utf8PathBuf, entries_max: usize, until: Instant) -> Taken {
    const BLOCK: u64 = 512;
    let (mut bytes, mut left, mut is_whole) = (0_u64, entries_max, true);
    let mut waiting = vec![place.as_std_path().to_owned()];
    while let Some(path) = waiting.pop() {
        if left == 0 || Instant::now() >= until {
            is_whole = false;
            break;
        }
        left -= 1;
        let Ok(metadata) = path.symlink_metadata() else { continue };
        bytes = bytes.saturating_add(metadata.blocks().saturating_mul(BLOCK));
        if metadata.is_dir() {
            let entries = path.read_dir().into_iter().flatten().flatten();
            // One directory alone may have more than are looked at.
            let some = entries.take(left + 1).take_while(|_| Instant::now() < until);
            waiting.extend(some.map(|entry| entry.path()));
        }
    }
    is_whole &= Instant::now() < until;
    Taken { place, bytes, is_whole }
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
        let soon = Instant::now() + Duration::from_hours(1);
        let measure = |place: &str, entries_max, until| {
            let Taken { bytes, is_whole, .. } = taken_by(root.join(place), entries_max, until);
            (bytes, is_whole)
        };
        let (bytes, is_whole) = measure("a", 100, soon);
        assert!(bytes >= 100_000 && is_whole);
        let (bytes, is_whole) = measure("links", 100, soon);
        assert!(bytes < 100_000 && is_whole, "a link is not what it points to");
        let (bytes, is_whole) = measure("a", 2, soon);
        assert!(bytes < 100_000 && !is_whole, "two entries are two directories");
        assert_eq!(measure("a", 3, soon), measure("a", 100, soon), "three are all");
        assert_eq!(measure("absent", 100, soon), (0, true));
        assert_eq!(measure("a", 100, Instant::now()), (0, false), "the time is over");
    }

    /// One that never ends is about the disk of some place of ours, not about whether there is room.
    #[tokio::test]
    async fn whoever_measures_keeps_nobody_from_asking_for_room() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let machine = ThisMachine::new();
        let hangs = Arc::clone(&machine.measuring).try_acquire_owned().unwrap();
        assert!(machine.room(root).await.is_ok());
        assert_eq!(machine.measure(&[root.to_owned()]).await, [], "one at a time");
        drop(hangs);
        assert_eq!(machine.measure(&[root.to_owned()]).await.len(), 1);
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
