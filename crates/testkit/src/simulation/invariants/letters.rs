//! Letters are written with their events, go out one at a time and in order, and end once.

use domain::{
    id::LetterId,
    outbox::{Letter, LetterState, LetterStateTag},
    pipeline::EventKind,
};
use ports::{Step, TakeLetters};

use super::{Broken, Watch, broken, events_of};
use crate::store_model::Model;

impl Watch {
    /// Every event of a step that a destination is to hear of has its letter, and no other has.
    pub(super) fn letters_are_written(&self, model: &Model, step: &Step) -> Result<(), Broken> {
        let is_of_step = |version| version == step.pipeline.version;
        let told = events_of(model, step.pipeline.id).rev();
        for event in told.take_while(|event| is_of_step(event.version)) {
            for route in &self.routes {
                let about = |letter: &&Letter| {
                    letter.destination == route.destination && letter.event.seq == event.seq
                };
                let count = model.letters.values().filter(about).count();
                let owed = usize::from(route.wants(&step.pipeline.project, &event.kind));
                if count != owed {
                    let what = format!("{:?} for {}: {count}", event.kind, route.destination);
                    return broken("every letter that is owed is written with its event", what);
                }
            }
        }
        Ok(())
    }

    /// A letter that changes with a step is what its pipeline is told.
    pub(super) fn letter_is_told(&self, step: &Step) -> Result<(), Broken> {
        let Some(letter) = &step.letter else { return Ok(()) };
        let told = step.events.iter().any(|event| match (&letter.state, event) {
            (LetterState::Dead { .. }, EventKind::LetterDied { letter: id, .. })
            | (LetterState::Queued { .. }, EventKind::LetterRetried { letter: id, .. })
            | (LetterState::Dropped { .. }, EventKind::LetterDropped { letter: id, .. }) => {
                *id == letter.id
            }
            _ => false,
        });
        if !told {
            return broken("what becomes of a letter is told", format!("{letter:?}"));
        }
        if matches!(letter.state, LetterState::Queued { .. }) {
            self.seen().retried.insert(letter.id);
        }
        self.letter_ends_once(letter)
    }

    /// A letter was changed by itself.
    pub(in crate::simulation) fn letter_settled(&self, letter: &Letter) {
        if matches!(letter.state, LetterState::Dead { .. } | LetterState::Dropped { .. }) {
            self.judge(broken("what becomes of a letter is told", format!("{letter:?}")));
        }
        self.judge(self.letter_ends_once(letter));
    }

    /// Letters were given out.
    pub(in crate::simulation) fn letters_taken(
        &self,
        model: &Model,
        wish: &TakeLetters,
        taken: &[Letter],
    ) {
        for letter in taken {
            let others = || {
                let same = |other: &&Letter| other.destination == letter.destination;
                model.letters.values().filter(same).filter(|other| other.id != letter.id)
            };
            let is_sent = |other: &Letter| matches!(other.state, LetterState::Sending { expires_at, .. } if expires_at > wish.now);
            let waits = |other: &Letter| {
                matches!(other.state, LetterState::Queued { .. } | LetterState::Sending { .. })
            };
            if let Some(other) = others().find(|other| is_sent(other)) {
                let what = format!("{} beside {}", letter.key(), other.key());
                self.record.violate("one letter at a time to a destination", what);
            }
            let earlier = |other: &&Letter| other.event.seq < letter.event.seq && waits(other);
            if let Some(other) = others().find(earlier) {
                let what = format!("{} before {}", letter.key(), other.key());
                self.record.violate("letters go out in the order of their events", what);
            }
        }
    }

    /// Whether a person had a letter tried again.
    pub(in crate::simulation) fn was_retried(&self, letter: LetterId) -> bool {
        self.seen().retried.contains(&letter)
    }

    fn letter_ends_once(&self, letter: &Letter) -> Result<(), Broken> {
        let state = LetterStateTag::from(&letter.state);
        let before = self.seen().letters.insert(letter.id, state);
        let had_ended = |it| matches!(it, LetterStateTag::Delivered | LetterStateTag::Dropped);
        match before.filter(|it| had_ended(*it)) {
            None => Ok(()),
            Some(before) => {
                broken("a letter ends once", format!("{}: {before} became {state}", letter.key()))
            }
        }
    }
}
