//! What the world outside is told, and what of it could not be.

use domain::{
    id::{LetterId, PipelineId},
    name::DestinationName,
    outbox::{Letter, LetterState, LetterStateTag},
    pipeline::EventKindTag,
};
use jiff::Timestamp;
use serde::Serialize;

/// One event on its way to one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterView {
    /// Its id.
    pub id: LetterId,
    /// The same however often it is delivered: by it a destination knows what it has already.
    pub key: String,
    /// Where it goes.
    pub destination: DestinationName,
    /// `queued`, `sending`, `delivered`, `dead` or `dropped`.
    pub state: String,
    /// The item that it is about.
    pub item: String,
    /// The item's title.
    pub title: String,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The event's number in the log of that pipeline.
    pub number: u64,
    /// What happened: `succeeded`.
    pub event: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it is tried, or can be taken from whoever has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who is delivering it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether that process is there, where somebody has looked. Where it is not, the next one takes the letter up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_work: Option<bool>,
    /// Whether its destination is configured, where somebody has looked. Where it is not, nobody delivers the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<bool>,
    /// The letter that its destination gets first, where it waits for that one and somebody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<LetterId>,
    /// When it was delivered, given up or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What the destination calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Who dropped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it is dead or was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tries that failed.
    pub failures: u32,
    /// Why the last of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl From<&Letter> for LetterView {
    fn from(letter: &Letter) -> Self {
        let mut view = Self {
            id: letter.id,
            key: letter.key(),
            destination: letter.destination.clone(),
            state: LetterStateTag::from(&letter.state).to_string(),
            item: letter.item.to_string(),
            title: letter.title.clone(),
            pipeline: letter.event.pipeline,
            number: letter.event.number,
            event: EventKindTag::from(&letter.event.kind).to_string(),
            at: letter.event.at,
            due_at: None,
            owner: None,
            at_work: None,
            configured: None,
            behind: None,
            ended_at: None,
            remote: None,
            by: None,
            reason: None,
            failures: letter.failures,
            last_error: letter.last_error.clone(),
        };
        match letter.state.clone() {
            LetterState::Queued { available_at } => view.due_at = Some(available_at),
            LetterState::Sending { owner, expires_at } => {
                (view.owner, view.due_at) = (Some(owner), Some(expires_at));
            }
            LetterState::Delivered { at, remote } => {
                (view.ended_at, view.remote) = (Some(at), remote);
            }
            LetterState::Dead { at, why } => (view.ended_at, view.reason) = (Some(at), Some(why)),
            LetterState::Dropped { at, by, reason } => {
                (view.ended_at, view.by, view.reason) = (Some(at), Some(by), Some(reason));
            }
        }
        view
    }
}

/// What came of delivering what was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// Of the letters that waited, how many were delivered.
    pub delivered: u64,
    /// Letters that wait for their next try, or for a destination that is not configured here.
    pub waiting: u64,
    /// When the first of those that can be delivered here is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// Letters that nobody tries to deliver any more.
    pub dead: u64,
    /// How many of those this delivery has given up.
    pub died: u64,
    /// Whether it was cut short by a signal.
    pub interrupted: bool,
}

/// How many letters to one destination have not come to a good end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxView {
    /// The destination.
    pub destination: DestinationName,
    /// Letters that wait or are under way.
    pub waiting: u64,
    /// When the oldest event happened that one of them tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Letters that nobody tries to deliver any more.
    pub dead: u64,
}

impl OutboxView {
    /// One view a destination, of counts that are in the order of destinations.
    #[must_use]
    pub fn all(
        counts: impl IntoIterator<Item = (DestinationName, LetterStateTag, u64, Timestamp)>,
    ) -> Vec<Self> {
        let mut views: Vec<Self> = Vec::new();
        for (destination, state, count, oldest) in counts {
            if views.last().is_none_or(|view| view.destination != destination) {
                views.push(Self { destination, waiting: 0, oldest: None, dead: 0 });
            }
            let Some(view) = views.last_mut() else { continue };
            match state {
                LetterStateTag::Queued | LetterStateTag::Sending => {
                    view.waiting += count;
                    view.oldest = Some(view.oldest.map_or(oldest, |it| it.min(oldest)));
                }
                LetterStateTag::Dead => view.dead += count,
                LetterStateTag::Delivered | LetterStateTag::Dropped => {}
            }
        }
        views
    }
}
