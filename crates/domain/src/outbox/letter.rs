//! A letter and the states it can be in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::LetterId, item::ItemKey, limits::LETTER_LOST_MAX, name::DestinationName, pipeline::Event,
};

/// Where a letter is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[strum_discriminants(
    name(LetterStateTag),
    derive(
        Hash,
        PartialOrd,
        Ord,
        strum::Display,
        strum::EnumString,
        strum::VariantArray,
        strum::IntoStaticStr
    ),
    strum(serialize_all = "snake_case")
)]
pub enum LetterState {
    /// Waits for its turn.
    Queued {
        /// Not before this.
        available_at: Timestamp,
    },
    /// Somebody delivers it.
    Sending {
        /// The process: never used again after its end.
        owner: String,
        /// When somebody else may take it.
        expires_at: Timestamp,
    },
    /// The destination has it.
    Delivered {
        /// Since when.
        at: Timestamp,
        /// What the destination calls it.
        remote: Option<String>,
    },
    /// Nobody tries any more; its pipeline and whoever looks after the machine were told.
    Dead {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: String,
    },
    /// A person decided that it is not to be delivered.
    Dropped {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// One event on its way to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Its id.
    pub id: LetterId,
    /// Where it goes.
    pub destination: DestinationName,
    /// The item whose pipeline it is about.
    pub item: ItemKey,
    /// The item's title.
    pub title: String,
    /// What it tells.
    pub event: Event,
    /// Rises with every change: whoever changes a letter shows the one that it saw, so that a process which was taken
    /// for dead changes nothing. It is the fencing token.
    pub version: u64,
    /// Tries that failed.
    pub failures: u32,
    /// Losses in a row to restarts; back to 0 with any answer of the destination.
    pub lost: u32,
    /// Where it is.
    pub state: LetterState,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

impl Letter {
    /// The same however often the letter is delivered: by it a destination knows what it has already. With the event's
    /// time, since a data directory that was restored numbers what happens from then on anew.
    #[must_use]
    pub fn key(&self) -> String {
        let Event { pipeline, number, at, .. } = &self.event;
        format!("{pipeline}/{number}/{}/{}", self.destination, at.as_millisecond())
    }

    /// Whether delivering it has ended the process so often that it is not tried again.
    #[must_use]
    pub const fn is_lost_too_often(&self) -> bool {
        self.lost > LETTER_LOST_MAX
    }
}

/// What a pipeline is told about a letter of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterNews {
    /// Nobody tries any more.
    Died {
        /// Why.
        why: String,
    },
    /// A person has it tried again.
    Retried,
    /// A person decided that it is not to be delivered.
    Dropped {
        /// Why.
        reason: String,
    },
}

impl LetterNews {
    /// What kind of news it is, in a word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Died { .. } => "died",
            Self::Retried => "retried",
            Self::Dropped { .. } => "dropped",
        }
    }
}
