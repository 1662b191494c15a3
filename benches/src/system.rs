//! Time, randomness, wake-ups and files as the product has them, and a machine with room.

use std::io;

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use ports::{
    Agent, AgentCheck, AgentError, AgentProfile, Clock, Entropy, Files, Machine, Room, Taken,
    Wakeup,
};
use tokio::{fs, sync::Notify, time};

/// The system's clock.
pub(crate) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        /// The runtime's timers end somewhere.
        const LONGEST: std::time::Duration = std::time::Duration::from_hours(1);
        while self.now() < at {
            let wait = std::time::Duration::try_from(at.duration_since(self.now()));
            time::sleep(wait.unwrap_or_default().min(LONGEST)).await;
        }
    }
}

/// The system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bytes(&self) -> [u8; 16] {
        rand::random()
    }
}

/// A wake-up while nobody waits is kept for the next one to come.
#[derive(Default)]
pub(crate) struct NotifyWakeup(Notify);

#[async_trait]
impl Wakeup for NotifyWakeup {
    fn wake(&self) {
        self.0.notify_one();
    }

    async fn woken(&self) {
        self.0.notified().await;
    }
}

/// The file system.
pub(crate) struct SystemFiles;

#[async_trait]
impl Files for SystemFiles {
    async fn write(&self, path: &Utf8Path, content: &[u8]) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).await?;
        }
        let temporary = path.with_extension("new");
        fs::write(&temporary, content).await?;
        fs::rename(&temporary, path).await
    }
}

/// A machine with room for everything: what is measured is not the looking.
pub(crate) struct RoomyMachine;

#[async_trait]
impl Machine for RoomyMachine {
    async fn room(&self, _dir: &Utf8Path) -> io::Result<Room> {
        Ok(Room { disk_bytes: u64::MAX, memory_bytes: None })
    }

    async fn measure(&self, _places: &[Utf8PathBuf]) -> Vec<Taken> {
        Vec::new()
    }

    async fn check_agent(
        &self,
        agent: &dyn Agent,
        profile: &AgentProfile,
        path: &str,
    ) -> Result<AgentCheck, AgentError> {
        let argv = agent.check_line(profile, path)?;
        let program = argv.into_iter().next().unwrap_or_default().into();
        Ok(AgentCheck { program, version: "not asked".to_owned() })
    }
}
