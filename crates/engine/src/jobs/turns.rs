//! Whose turn it is in a workspace.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{id::PipelineId, name::RoleName};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Held by whoever has the workspace, waited for by whoever wants it.
type Turn = Arc<AsyncMutex<()>>;

/// A turn for each workspace that somebody waits for or has.
#[derive(Default)]
pub(crate) struct WorkspaceTurns {
    turns: Mutex<BTreeMap<(PipelineId, RoleName), Turn>>,
}

impl WorkspaceTurns {
    /// Waits until nobody else has the workspace of this role.
    pub(crate) async fn take(&self, pipeline: PipelineId, role: &RoleName) -> OwnedMutexGuard<()> {
        self.turn(pipeline, role).lock_owned().await
    }

    /// Takes it if nobody has it.
    pub(crate) fn try_take(
        &self,
        pipeline: PipelineId,
        role: &RoleName,
    ) -> Option<OwnedMutexGuard<()>> {
        self.turn(pipeline, role).try_lock_owned().ok()
    }

    fn turn(&self, pipeline: PipelineId, role: &RoleName) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody has or waits for are of no use any more.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry((pipeline, role.clone())).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> RoleName {
        RoleName::new(name).expect("a name")
    }

    #[tokio::test]
    async fn a_workspace_is_waited_for_and_others_are_not() {
        let turns = WorkspaceTurns::default();
        let pipeline = PipelineId::from_u128(1);
        let (a, b) = (role("a"), role("b"));
        let first = turns.take(pipeline, &a).await;
        drop(turns.take(pipeline, &b).await);
        let mut second = Box::pin(turns.take(pipeline, &a));
        assert!(poll_once(&mut second).await.is_none(), "it was not waited for");
        drop(first);
        drop(second.await);
        drop(turns.take(pipeline, &b).await);
        assert_eq!(
            turns.turns.lock().expect("no holder panics").len(),
            1,
            "turns that are over are forgotten"
        );
    }

    /// Polls once.
    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
