//! Renews stale answers beside the loop.

use std::{collections::BTreeMap, sync::Arc};

use domain::limits::PREFLIGHT_TTL_FAILED;
use jiff::Timestamp;
use ports::Held;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::answers::{Subject, is_younger};
use crate::Engine;

/// The looks that a loop has under way. Dropped with it: nobody waits for them.
pub(crate) struct Looks {
    tasks: JoinSet<()>,
    /// When the last look at each subject began, and whether it is over. One that ends without an answer, by a fault
    /// of ours, is not begun again at once.
    begun: BTreeMap<Subject, (Timestamp, AbortHandle)>,
}

impl Looks {
    pub(crate) fn new() -> Self {
        Self { tasks: JoinSet::new(), begun: BTreeMap::new() }
    }

    /// Whether nothing is being looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Returns when a look has ended; at once with `None` where none is under way.
    pub(crate) async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        self.tasks.join_next().await
    }

    fn may_begin(&self, subject: &Subject, now: Timestamp) -> bool {
        self.begun.get(subject).is_none_or(|(at, look)| {
            look.is_finished() && !is_younger(*at, PREFLIGHT_TTL_FAILED, now)
        })
    }
}

impl Engine {
    /// What must stay in the queue for now, as far as it is known. Begins to look at what is known for too long: a
    /// look that ends wakes the loop.
    pub(crate) fn look_before_claim(self: &Arc<Self>, looks: &mut Looks) -> Held {
        let now = self.ports.clock.now();
        let (stale, held) = {
            let preflight = self.preflight.lock().expect("no holder panics");
            (preflight.stale(now), preflight.held(now))
        };
        for subject in stale {
            if looks.may_begin(&subject, now) {
                let (engine, about) = (Arc::clone(self), subject.clone());
                let look = looks.tasks.spawn(async move { engine.look(about).await });
                looks.begun.insert(subject, (now, look));
            }
        }
        held
    }
}
