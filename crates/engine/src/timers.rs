//! Fires timers that are due.

use std::sync::Arc;

use domain::pipeline::{Actor, Input};
use tokio::task::JoinSet;

use crate::{Cause, Engine, EngineError};

impl Engine {
    /// Fires every timer that is due, once each. A timer that nobody waits for is dropped. Returns how many moved their
    /// pipeline.
    pub(crate) async fn fire_due_timers(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
    ) -> Result<usize, EngineError> {
        let mut moved = 0;
        for due in self.ports.store.list_due_timers(self.ports.clock.now()).await? {
            if self.is_left_alone(due.pipeline) {
                continue;
            }
            let cause = Cause {
                actor: Actor::Timer,
                key: format!("timer/{}/{}/{}", due.pipeline, due.timer, due.at.as_microsecond()),
                job: None,
                run: None,
                fired: Some(due),
            };
            match self.apply(due.pipeline, &Input::TimerFired { timer: due.timer }, &cause).await {
                Ok(crate::Outcome::Moved(_)) => {
                    moved += 1;
                    // An agent that another process left may be at work for it still.
                    self.stop_orphans_beside(due.pipeline, tasks);
                }
                Ok(crate::Outcome::Duplicate | crate::Outcome::Fenced)
                | Err(EngineError::Refused(_)) => {
                    self.ports.store.drop_timer(&due).await?;
                }
                Err(error) if error.is_damage() => {
                    self.park(due.pipeline, &error).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }
}
