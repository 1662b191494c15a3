//! Looks for pipelines that nothing will move.
//!
//! There should be none: every step leaves a job, or a question to a person. Where there is one all the same, by a fault
//! of ours or in a damaged store, it must not wait in silence.

use domain::pipeline::{Actor, Input};
use ports::Stranded;

use crate::{Cause, Engine, EngineError, chain};

impl Engine {
    /// Has a person asked about every pipeline that nothing will move. Returns how many there were.
    pub(crate) async fn watch_liveness(&self) -> Result<usize, EngineError> {
        let mut found = 0;
        for Stranded { pipeline, version } in self.ports.store.list_stranded().await? {
            let cause = Cause {
                actor: Actor::Engine,
                key: format!("stranded/{pipeline}/{version}"),
                job: None,
                run: None,
                fired: None,
            };
            match self.apply(pipeline, &Input::Stranded { version }, &cause).await {
                Ok(crate::Outcome::Moved(_)) => {
                    found += 1;
                    tracing::error!(pipeline.id = %pipeline, "nothing would have moved it: a person is asked");
                }
                // It has moved since.
                Ok(crate::Outcome::Duplicate | crate::Outcome::Fenced)
                | Err(EngineError::Refused(_)) => {}
                Err(error) if error.is_damage() => {
                    tracing::debug!(pipeline.id = %pipeline, "nothing will move it: {}", chain(&error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
