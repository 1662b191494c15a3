//! The mark of a delivery: by it is found what is left of one whose usher was killed, wherever it has gone.
//!
//! It stands in the environment, which whatever is started inherits. A number that was written down could be somebody
//! else's by now, after a restart of the machine for one; this is asked of those who run.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use domain::outbox::Letter;
use nix::unistd::{Pid, geteuid};

use super::processes;

/// The variable that marks whatever comes of a delivery.
const NAME: &str = "GATEWRIGHT_DELIVERY";
/// How long an usher whose orchestrator is gone has to end what it alone can find: what has lost the mark.
const USHER_ENDS_WITHIN: Duration = Duration::from_millis(500);
/// How long those who are killed may take to end.
const WITHIN: Duration = Duration::from_secs(5);
/// Between two looks at who is left.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Deliveries of this process so far.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// The mark of one delivery.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// What all deliveries of a data directory to a destination begin with. They are made one at a time.
    destination: String,
    /// What this one alone has.
    delivery: String,
}

impl Mark {
    /// A mark that no other delivery has, for a letter of that data directory.
    pub(super) fn new(data_dir: &Utf8Path, letter: &Letter) -> io::Result<Self> {
        // Its path may be another directory's elsewhere: a container has a view of its own.
        let place = fs::metadata(data_dir)?;
        let destination = format!("{:x}.{:x}/{}/", place.dev(), place.ino(), letter.destination);
        let number = DELIVERIES.fetch_add(1, Ordering::Relaxed);
        let delivery = format!("{destination}{}/{}/{number}", letter.key(), std::process::id());
        Ok(Self { destination, delivery })
    }

    /// The variable that a command is to be given.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (NAME, &self.delivery)
    }

    /// Ends what is left of any delivery to the destination: to be done before this one begins, whoever made the others.
    pub(super) fn end_earlier(&self) -> io::Result<()> {
        let wanted = format!("{NAME}={}", self.destination).into_bytes();
        end(USHER_ENDS_WITHIN, |variable| variable.starts_with(&wanted))
    }

    /// Ends what is left of this delivery.
    pub(super) fn end_own(&self) -> io::Result<()> {
        let wanted = format!("{NAME}={}", self.delivery).into_bytes();
        end(Duration::ZERO, |variable| variable == wanted)
    }
}

/// Kills all processes of this user that were given such a variable and have not ended by themselves within `patience`, and
/// waits for their end. Looks through all processes, which takes some milliseconds.
fn end(patience: Duration, is_wanted: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    let (me, user) = (Pid::this(), geteuid().as_raw());
    let kill_at = Instant::now() + patience;
    let until = kill_at + WITHIN;
    let mut killed = BTreeSet::new();
    loop {
        let mut left = Vec::new();
        // A command of a destination may have started us.
        for process in processes::list().filter(|it| it.pid != me && it.is_of(user)) {
            if process.was_given(&is_wanted) {
                let pid = process.pid.as_raw();
                if kill_at <= Instant::now() {
                    process.kill();
                    killed.insert(pid);
                }
                left.push(pid);
            }
        }
        if left.is_empty() {
            if !killed.is_empty() {
                tracing::info!("ended {} processes that a delivery had left", killed.len());
            }
            return Ok(());
        }
        if until < Instant::now() {
            let left = format!("processes that an earlier delivery left do not end: {left:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, left));
        }
        // They are nobody's children any more: nothing tells of their end.
        thread::sleep(LOOK_EVERY);
    }
}
