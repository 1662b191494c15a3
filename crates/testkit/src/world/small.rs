//! The small ports: randomness, wake-ups, files, briefs.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    brief::BriefContext,
    name::{AgentName, RoleName},
};
use ports::{
    Agent, AgentCheck, AgentError, AgentProfile, BriefError, Briefs, Entropy, Files, Machine, Room,
    Taken, Wakeup,
};
use tokio::sync::Notify;

use super::Calls;

/// Random bytes of a seed (`SplitMix64`): the same seed gives the same ids and the same jitter.
///
/// The first three bytes count: ids sort in the order of their making, also where time stands still.
#[derive(Debug)]
pub struct SeededEntropy {
    state: AtomicU64,
    count: AtomicU32,
}

impl SeededEntropy {
    /// Bytes of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed), count: AtomicU32::new(0) }
    }

    fn word(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 16] {
        let (high, low) = (u128::from(self.word()), u128::from(self.word()));
        let mut bytes = (high << 64 | low).to_le_bytes();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Of the first byte a UUID keeps the lower four bits, of the third the lower six.
        let [_, _, _, low] = count.to_be_bytes();
        let [_, _, _, middle] = (count >> 6).to_be_bytes();
        let [_, _, _, high] = (count >> 14).to_be_bytes();
        (bytes[0], bytes[1], bytes[2]) = (high & 0xf, middle, low & 0x3f);
        bytes
    }
}

/// Wakes every engine of the world, as a database does that all of them listen to.
#[derive(Debug, Default)]
pub struct Bell {
    listeners: Mutex<Vec<Weak<Notify>>>,
}

impl Bell {
    /// The ear of a new engine.
    #[must_use]
    pub fn listener(self: &Arc<Self>) -> Listener {
        let own = Arc::<Notify>::default();
        let mut listeners = self.listeners.lock().expect("nobody panics while holding it");
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&own));
        Listener { bell: Arc::clone(self), own }
    }

    /// Wakes them all.
    pub fn ring(&self) {
        let listeners = self.listeners.lock().expect("nobody panics while holding it");
        listeners.iter().filter_map(Weak::upgrade).for_each(|listener| listener.notify_one());
    }
}

/// One engine's way to hear the [`Bell`], and to ring it.
#[derive(Debug)]
pub struct Listener {
    bell: Arc<Bell>,
    own: Arc<Notify>,
}

#[async_trait]
impl Wakeup for Listener {
    fn wake(&self) {
        self.bell.ring();
    }

    async fn woken(&self) {
        self.own.notified().await;
    }
}

/// Files in a map.
#[derive(Debug)]
pub struct FakeFiles {
    files: Arc<Mutex<BTreeMap<Utf8PathBuf, Vec<u8>>>>,
    calls: Arc<Calls>,
}

impl FakeFiles {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { files: Arc::default(), calls }
    }

    /// The same files, as somebody else writes them.
    pub(super) fn called(&self, calls: Arc<Calls>) -> Self {
        Self { files: Arc::clone(&self.files), calls }
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &Utf8Path) -> Option<String> {
        let files = self.files.lock().expect("nobody panics while holding it");
        files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

#[async_trait]
impl Files for FakeFiles {
    async fn write(&self, path: &Utf8Path, content: &[u8]) -> io::Result<()> {
        let write = async {
            if !path.is_absolute() {
                return Err(io::Error::other(format!("{path} is not absolute")));
            }
            let mut files = self.files.lock().expect("nobody panics while holding it");
            files.insert(path.to_owned(), content.to_owned());
            Ok(())
        };
        self.calls.make("files.write", write).await
    }
}

/// A machine with room for everything, on which every program answers, until a test says otherwise.
#[derive(Debug)]
pub struct FakeMachine {
    room: Arc<Mutex<Room>>,
    broken: Arc<Mutex<BTreeMap<AgentName, String>>>,
    taken: Arc<Mutex<BTreeMap<Utf8PathBuf, Taken>>>,
    calls: Arc<Calls>,
}

impl FakeMachine {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        let plenty = Room { disk_bytes: u64::MAX, memory_bytes: None };
        let (room, broken, taken) = (Arc::new(Mutex::new(plenty)), Arc::default(), Arc::default());
        Self { room, broken, taken, calls }
    }

    /// The same machine, as another process calls it.
    pub(super) fn called(&self, calls: Arc<Calls>) -> Self {
        let (room, broken) = (Arc::clone(&self.room), Arc::clone(&self.broken));
        Self { room, broken, taken: Arc::clone(&self.taken), calls }
    }

    /// Has this much room from now on.
    pub fn set_room(&self, room: Room) {
        *self.room.lock().expect("nobody panics while holding it") = room;
    }

    /// A file or directory takes this much of the disk.
    pub fn take_room(&self, place: &str, bytes: u64) {
        self.take(Taken { place: place.into(), bytes, is_whole: true });
    }

    /// A directory takes this much of the disk, and more that nobody has the time to count.
    pub fn take_more_than(&self, place: &str, bytes: u64) {
        self.take(Taken { place: place.into(), bytes, is_whole: false });
    }

    fn take(&self, by: Taken) {
        let mut taken = self.taken.lock().expect("nobody panics while holding it");
        taken.insert(by.place.clone(), by);
    }

    /// Breaks the program of an agent, for that reason.
    pub fn break_agent(&self, agent: &str, reason: &str) {
        let agent = AgentName::new(agent).expect("a name");
        self.broken().insert(agent, reason.to_owned());
    }

    /// Mends the programs of all agents.
    pub fn mend_agents(&self) {
        self.broken().clear();
    }

    fn broken(&self) -> std::sync::MutexGuard<'_, BTreeMap<AgentName, String>> {
        self.broken.lock().expect("nobody panics while holding it")
    }
}

#[async_trait]
impl Machine for FakeMachine {
    async fn room(&self, _dir: &Utf8Path) -> io::Result<Room> {
        let room = async { Ok(*self.room.lock().expect("nobody panics while holding it")) };
        self.calls.make("machine.room", room).await
    }

    async fn measure(&self, places: &[Utf8PathBuf]) -> Vec<Taken> {
        let measure = async {
            let taken = self.taken.lock().expect("nobody panics while holding it");
            let by = |place: &Utf8PathBuf| taken.get(place).cloned();
            places.iter().filter_map(by).collect()
        };
        self.calls.make("machine.measure", measure).await
    }

    async fn check_agent(
        &self,
        _agent: &dyn Agent,
        profile: &AgentProfile,
        _path: &str,
    ) -> Result<AgentCheck, AgentError> {
        let check = async {
            match self.broken().get(&profile.name) {
                None => Ok(AgentCheck {
                    program: "/usr/bin/fake-agent".into(),
                    version: "1".to_owned(),
                }),
                Some(reason) => Err(AgentError::Broken {
                    agent: profile.name.clone(),
                    program: "fake-agent".to_owned(),
                    reason: reason.clone(),
                }),
            }
        };
        self.calls.make("machine.check_agent", check).await
    }
}

/// Briefs that say nothing but what they were asked with, which is kept.
#[derive(Debug, Default)]
pub struct FakeBriefs {
    contexts: Mutex<Vec<BriefContext>>,
}

impl FakeBriefs {
    /// Every context that a brief was rendered in, oldest first. One run may render its brief twice.
    #[must_use]
    pub fn contexts(&self) -> Vec<BriefContext> {
        self.contexts.lock().expect("nobody panics while holding it").clone()
    }
}

impl Briefs for FakeBriefs {
    fn render(&self, role: &RoleName, context: &BriefContext) -> Result<String, BriefError> {
        let brief = format!("{role}: {}, attempt {}\n", context.item, context.attempt);
        self.contexts.lock().expect("nobody panics while holding it").push(context.clone());
        Ok(brief)
    }
}
