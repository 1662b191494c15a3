//! The outbox: who gets which letter, and for how long.

use std::cmp::Reverse;

use domain::{
    name::DestinationName,
    outbox::{Letter, LetterInput, LetterState, LetterStateTag},
    pipeline::{Event, Pipeline},
};
use jiff::Timestamp;
use ports::{LetterCount, LetterFilter, NewLetter, StoreError, TakeLetters};

use super::model::{Model, impossible};

impl Model {
    /// Writes a letter about one of the events that a step has told.
    pub(super) fn post(
        &mut self,
        new: &NewLetter,
        pipeline: &Pipeline,
        told: &[Event],
    ) -> Result<(), StoreError> {
        let operation = "post a letter";
        let NewLetter { id, destination, event } = new;
        let event =
            told.get(*event).ok_or_else(|| impossible(operation, "there is no such event"))?;
        let is_there = |other: &Letter| {
            other.id == *id || (&other.destination, other.event.seq) == (destination, event.seq)
        };
        if self.letters.values().any(is_there) {
            return Err(impossible(operation, "there is one of that id, or about that event"));
        }
        let letter = Letter {
            id: *id,
            destination: destination.clone(),
            item: pipeline.item.key.clone(),
            title: pipeline.item.title.clone(),
            event: event.clone(),
            version: 0,
            failures: 0,
            lost: 0,
            state: LetterState::Queued { available_at: event.at },
            last_error: None,
        };
        self.letters.insert(*id, letter);
        Ok(())
    }

    /// Whether this is the next version of a letter as it is stored.
    pub(super) fn is_seen(&self, letter: &Letter) -> bool {
        self.letters.get(&letter.id).is_some_and(|stored| stored.version + 1 == letter.version)
    }

    pub(super) fn settle_letter(&mut self, letter: &Letter) -> bool {
        let is_seen = self.is_seen(letter);
        if is_seen {
            self.letters.insert(letter.id, letter.clone());
        }
        is_seen
    }

    pub(super) fn take_letters(&mut self, wish: &TakeLetters) -> Vec<Letter> {
        let TakeLetters { owner, now, ttl, destinations } = wish;
        let input = LetterInput::Take { owner: owner.clone(), ttl: *ttl };
        let mut taken = Vec::new();
        for destination in destinations {
            if self.under_way_until(destination).is_some_and(|until| until > *now) {
                continue;
            }
            let head = self.head(destination).and_then(|head| head.decide(&input, *now).ok());
            if let Some(letter) = head {
                self.letters.insert(letter.id, letter.clone());
                taken.push(letter);
            }
        }
        taken
    }

    pub(super) fn next_letter(&self, destinations: &[DestinationName]) -> Option<Timestamp> {
        let can_be_taken = |destination: &DestinationName| {
            let due = due_at(self.head(destination)?)?;
            Some(self.under_way_until(destination).map_or(due, |until| until.max(due)))
        };
        destinations.iter().filter_map(can_be_taken).min()
    }

    pub(super) fn list_letters(&self, filter: &LetterFilter) -> Vec<Letter> {
        let LetterFilter { pipeline, destination, state, limit } = filter;
        let meant = |letter: &&Letter| {
            pipeline.is_none_or(|pipeline| letter.event.pipeline == pipeline)
                && destination.as_ref().is_none_or(|destination| letter.destination == *destination)
                && state.is_none_or(|state| LetterStateTag::from(&letter.state) == state)
        };
        let mut letters: Vec<Letter> = self.letters.values().filter(meant).cloned().collect();
        letters.sort_by_key(|letter| (Reverse(letter.event.seq), letter.destination.clone()));
        if *limit > 0 {
            letters.truncate(*limit as usize);
        }
        letters
    }

    pub(super) fn count_letters(&self) -> Vec<LetterCount> {
        let mut counts: Vec<LetterCount> = Vec::new();
        let mut letters: Vec<&Letter> = self.letters.values().collect();
        letters.sort_by_key(|letter| letter.event.seq);
        for letter in letters {
            let (destination, state) = (&letter.destination, LetterStateTag::from(&letter.state));
            if matches!(state, LetterStateTag::Delivered | LetterStateTag::Dropped) {
                continue;
            }
            let same = |count: &&mut LetterCount| {
                (&count.destination, count.state) == (destination, state)
            };
            match counts.iter_mut().find(same) {
                Some(count) => count.count += 1,
                None => counts.push(LetterCount {
                    destination: destination.clone(),
                    state,
                    count: 1,
                    oldest: letter.event.at,
                }),
            }
        }
        counts.sort_by_key(|count| (count.destination.clone(), count.state));
        counts
    }

    /// The letter whose turn it is.
    fn head(&self, destination: &DestinationName) -> Option<&Letter> {
        let waiting = self
            .letters
            .values()
            .filter(|letter| letter.destination == *destination && due_at(letter).is_some());
        waiting.min_by_key(|letter| letter.event.seq)
    }

    fn under_way_until(&self, destination: &DestinationName) -> Option<Timestamp> {
        let leases = self.letters.values().filter_map(|letter| match letter.state {
            LetterState::Sending { expires_at, .. } if letter.destination == *destination => {
                Some(expires_at)
            }
            _ => None,
        });
        leases.max()
    }
}

/// When a letter can be taken, if ever.
const fn due_at(letter: &Letter) -> Option<Timestamp> {
    match letter.state {
        LetterState::Queued { available_at: at } | LetterState::Sending { expires_at: at, .. } => {
            Some(at)
        }
        LetterState::Delivered { .. } | LetterState::Dead { .. } | LetterState::Dropped { .. } => {
            None
        }
    }
}
