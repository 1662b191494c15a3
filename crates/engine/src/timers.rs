//! Fires timers that are due.

use domain::pipeline::{Actor, Input};

use crate::{Cause, Engine, EngineError};

impl Engine {
    /// Fires every timer that is due, once each. A timer that nobody waits for is dropped.
    pub(crate) async fn fire_due_timers(&self) -> Result<(), EngineError> {
        for due in self.ports.store.list_due_timers(self.ports.clock.now()).await? {
            let cause = Cause {
                actor: Actor::Timer,
                key: format!("timer/{}/{}/{}", due.pipeline, due.timer, due.at.as_microsecond()),
                job: None,
                run: None,
                fired: Some(due.timer),
            };
            match self.apply(due.pipeline, &Input::TimerFired { timer: due.timer }, &cause).await {
                Ok(crate::Outcome::Moved(_)) => {}
                Ok(crate::Outcome::Duplicate | crate::Outcome::Fenced)
                | Err(EngineError::Refused(_)) => {
                    self.ports.store.drop_timer(&due).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
