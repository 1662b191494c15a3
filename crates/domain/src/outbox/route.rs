//! Which events go where.

use crate::{
    name::{DestinationName, ProjectKey},
    pipeline::{EventKind, EventKindTag},
};

/// What a destination wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub destination: DestinationName,
    /// These events.
    pub events: Vec<EventKindTag>,
    /// Of these projects; of all where empty.
    pub projects: Vec<ProjectKey>,
}

impl Route {
    /// What a person wants to hear who is not looking: that they are asked, that an agent waits or needs its login, and
    /// how it ended.
    pub const EVENTS: &[EventKindTag] = &[
        EventKindTag::DecisionOpened,
        EventKindTag::Blocked,
        EventKindTag::BreakerOpened,
        EventKindTag::Succeeded,
        EventKindTag::Failed,
        EventKindTag::Cancelled,
    ];

    /// Whether an event can be sent at all. What happens to letters cannot: a destination that takes none would be
    /// sent a letter about each of them, for ever.
    #[must_use]
    pub const fn can_carry(event: EventKindTag) -> bool {
        !matches!(
            event,
            EventKindTag::LetterDied | EventKindTag::LetterRetried | EventKindTag::LetterDropped
        )
    }

    /// Whether the destination is to hear of this event of that project.
    #[must_use]
    pub fn wants(&self, project: &ProjectKey, event: &EventKind) -> bool {
        let event = EventKindTag::from(event);
        Self::can_carry(event)
            && self.events.contains(&event)
            && (self.projects.is_empty() || self.projects.contains(project))
    }
}
