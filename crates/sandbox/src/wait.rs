//! Waits for a sandbox: for its end, or for more output.

use std::{fs, io, os::fd::OwnedFd, time::Duration};

use camino::Utf8Path;
use nix::{
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
    unistd,
};
use ports::{OutputStream, SandboxError, SandboxStatus};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time,
};

use crate::{files, launch::blocking, status::status};

/// How long a change can go unseen where the kernel told of none: the lock of a shim that was killed is freed without a sound
/// after the last event.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The same where the kernel has no more watches to give.
const LOOK_EVERY_UNWATCHED: Duration = Duration::from_millis(20);

/// Waits until the sandbox in `dir` has ended or vanished; one that was never launched is not waited for.
pub(crate) async fn for_end(dir: &Utf8Path) -> Result<SandboxStatus, SandboxError> {
    // Watched before the first look, so that nothing can happen between a look and the wait.
    let mut watch = Watch::new(dir, AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE);
    loop {
        match status(dir).await? {
            SandboxStatus::Running => watch.wait().await,
            over => return Ok(over),
        }
    }
}

/// Waits until the standard output of the sandbox in `dir` is longer than `offset`, or nothing more will come.
pub(crate) async fn for_output(dir: &Utf8Path, offset: u64) -> Result<(), SandboxError> {
    let changes =
        AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE;
    let mut watch = Watch::new(dir, changes);
    loop {
        // The end is looked at first: what came before it is in the log by then.
        let over = status(dir).await? != SandboxStatus::Running;
        let length = blocking("read the length of a log", dir, |dir| length(&dir)).await?;
        if over || length > offset {
            return Ok(());
        }
        watch.wait().await;
    }
}

fn length(dir: &Utf8Path) -> io::Result<u64> {
    match fs::metadata(dir.join(files::log(OutputStream::Out))) {
        Ok(log) => Ok(log.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Changes of a directory, as the kernel tells them.
struct Watch {
    events: Option<AsyncFd<OwnedFd>>,
}

impl Watch {
    fn new(dir: &Utf8Path, changes: AddWatchFlags) -> Self {
        // Without one, looking often has to do: a user has few of them.
        Self { events: events_of(dir, changes).ok() }
    }

    /// Waits for a change, but not for long.
    async fn wait(&mut self) {
        let Some(events) = &mut self.events else { return time::sleep(LOOK_EVERY_UNWATCHED).await };
        let Ok(Ok(mut ready)) = time::timeout(LOOK_EVERY, events.readable_mut()).await else {
            return;
        };
        // Which changes does not matter: the caller looks at everything.
        let mut buffer = [0; 4096];
        while unistd::read(ready.get_inner(), &mut buffer).is_ok_and(|count| count > 0) {}
        ready.clear_ready();
    }
}

#[expect(unsafe_code, reason = "tokio wants a promise that the file keeps its number")]
fn events_of(dir: &Utf8Path, changes: AddWatchFlags) -> io::Result<AsyncFd<OwnedFd>> {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    inotify.add_watch(dir.as_std_path(), changes | AddWatchFlags::IN_ONLYDIR)?;
    // SAFETY: an owned descriptor has one number until it is dropped, and it moves into the registration.
    Ok(unsafe { AsyncFd::register_with_interest(OwnedFd::from(inotify), Interest::READABLE) }?)
}
