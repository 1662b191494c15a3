//! The process group of a call: git and whatever it started.

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::Child;

/// Kills the group when it is dropped, unless the call has ended by itself.
///
/// The leader must not have been waited for while this is armed: until then its number cannot be given to anybody
/// else.
#[derive(Debug)]
pub(super) struct Group {
    leader: Option<Pid>,
}

impl Group {
    /// The group that `child` leads.
    pub(super) fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: leader.map(Pid::from_raw) }
    }

    /// Ends every process of the group.
    pub(super) fn kill(&self) {
        if let Some(leader) = self.leader {
            // The only failure is that nobody is left.
            killpg(leader, Signal::SIGKILL).ok();
        }
    }

    /// Forgets the group, because its leader has been waited for.
    pub(super) fn disarm(mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
