//! The process group of a command: the program and whatever it started, and what has left the group since.

use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use tokio::process::Child;

use super::offspring::Mark;

/// Kills the group when it is dropped, and whatever else has the mark of the delivery.
///
/// The leader must not have been waited for while this lives: until then its number cannot be given to anybody else.
#[derive(Debug)]
pub(super) struct Group {
    leader: Option<Pid>,
    mark: Option<Mark>,
}

impl Group {
    /// The group that `child` leads.
    pub(super) fn of(child: &Child, mark: Mark) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: leader.map(Pid::from_raw), mark: Some(mark) }
    }

    /// Returns when the leader has ended, and leaves it to be waited for.
    pub(super) async fn ended(&self) {
        let Some(leader) = self.leader else { return };
        let wait = move || {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while waitid(Id::Pid(leader), flags) == Err(nix::errno::Errno::EINTR) {}
        };
        // Dropping the group ends the leader, and this thread's wait with it.
        tokio::task::spawn_blocking(wait).await.ok();
    }
}

impl Group {
    /// Kills the group, once. Gives the mark by which what has left it is found, for whoever looks for that.
    pub(super) fn kill(&mut self) -> Option<Mark> {
        if let Some(leader) = self.leader.take() {
            // The only failure is that nobody is left.
            killpg(leader, Signal::SIGKILL).ok();
        }
        self.mark.take()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(mark) = self.kill() {
            mark.kill_all();
        }
    }
}
