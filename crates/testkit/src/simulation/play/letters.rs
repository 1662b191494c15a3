//! What destinations do with letters, and what people ask of these.

use std::{sync::Arc, time::Duration};

use domain::{
    id::LetterId,
    outbox::{Letter, LetterState},
};

use super::Play;
use crate::{
    simulation::{
        plan::{AskOfLetter, Welcome},
        routes::routes_of,
    },
    world::{PERSON, Reception},
};

/// How long a destination wants to be left alone that is busy.
const BUSY: Duration = Duration::from_mins(5);

impl Play<'_> {
    /// The next tries at a destination go like this, those after them well.
    pub(super) fn instruct_destination(&self, number: u8, does: Welcome, tries: u8) {
        let routes = routes_of(self.plan);
        let Some(at) = usize::from(number).checked_rem(routes.len()) else { return };
        let reception = match does {
            Welcome::LosesTheAnswer => Reception::LosesTheAnswer,
            Welcome::Fails => Reception::Busy(None),
            Welcome::IsBusy => Reception::Busy(Some(BUSY)),
            Welcome::Refuses => Reception::Refuses,
            Welcome::Hangs => Reception::Hangs,
        };
        let mut plan = vec![reception; tries.into()];
        plan.push(Reception::Takes);
        self.world.destinations.plan(routes[at].destination.as_str(), &plan);
    }

    /// Every destination takes what comes.
    pub(super) fn calm_destinations(&self) {
        for route in routes_of(self.plan) {
            self.world.destinations.plan(route.destination.as_str(), &[Reception::Takes]);
        }
    }

    /// Somebody asks something of a letter.
    pub(super) fn ask_of_letter(&mut self, back: u8, asks: AskOfLetter) {
        let Some(id) = self.letter(back) else { return };
        let engine = Arc::clone(&self.people_talk_to().engine);
        self.people_talk_to().does(async move {
            // One that is being sent, or has arrived meanwhile, stays as it is.
            let _changed = match asks {
                AskOfLetter::Retry => engine.retry_letter(id, PERSON).await,
                AskOfLetter::Drop => engine.drop_letter(id, "old news", PERSON).await,
            };
        });
    }

    /// One of the letters that a person can do something about, counted from the newest.
    fn letter(&self, back: u8) -> Option<LetterId> {
        let mut open: Vec<Letter> = self.store.pair.model.look(|model| {
            let open = |letter: &&Letter| {
                matches!(letter.state, LetterState::Queued { .. } | LetterState::Dead { .. })
            };
            model.letters.values().filter(open).cloned().collect()
        });
        open.sort_by_key(|letter| (letter.event.seq, letter.id));
        let at = usize::from(back).checked_rem(open.len())?;
        open.iter().rev().nth(at).map(|letter| letter.id)
    }
}
