//! What a loop is delivering, and when that is given up.

use domain::limits::DELIVERY_TIME_LIMIT;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

/// How long letters may keep a process that is told to stop or has nothing else to do: one that is told to stop has to be
/// gone within 5 s.
pub(crate) const LETTER_GRACE: SignedDuration = SignedDuration::from_secs(4);
/// How long a delivery that is under way may keep a process that has nothing else to do: a little longer than its own limit.
pub(crate) const DELIVERY_GRACE: SignedDuration =
    SignedDuration::from_secs(DELIVERY_TIME_LIMIT.as_secs().cast_signed() + 1);

/// The deliveries that a loop has under way.
pub(crate) struct Outbox {
    pub(super) tasks: JoinSet<()>,
    /// When those under way are given up, once that is known.
    pub(super) closing: watch::Sender<Option<Timestamp>>,
    /// When the next letter to a destination that is sent nothing now can be taken.
    pub(super) next: Option<Timestamp>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { tasks: JoinSet::new(), closing: watch::Sender::new(None), next: None }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether nothing is under way, and nothing can be before some later time.
    pub(crate) fn is_at_rest(&self, now: Timestamp) -> bool {
        self.is_empty() && self.next.is_none_or(|at| at > now)
    }

    /// When to look for letters again. What is due already waits for a delivery that is under way to end.
    pub(crate) fn look_again(&self, now: Timestamp) -> Timestamp {
        self.next.filter(|at| *at > now).unwrap_or(Timestamp::MAX)
    }

    /// Gives up at that time, if not before, what is under way then: it goes back, for the next process.
    pub(crate) fn close(&self, at: Timestamp) {
        self.closing.send_modify(|closing| *closing = Some(closing.map_or(at, |it| it.min(at))));
    }

    /// Lets go of what is under way. Its leases run out, or the next process knows that we are gone.
    pub(crate) fn abort(&mut self) {
        self.tasks.abort_all();
    }

    /// Returns when a delivery has ended; at once with `None` where none is under way.
    pub(crate) async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        self.tasks.join_next().await
    }
}
