//! What people ask of a letter: try again, or give it up.

use domain::{
    id::LetterId,
    outbox::{Letter, LetterInput, LetterNews},
    pipeline::Actor,
};

use super::settle::Told;
use crate::{Engine, EngineError};

impl Engine {
    /// Has a letter tried again that is dead or waits, at once and with all of its tries. It goes before those behind it
    /// that are not delivered yet.
    pub async fn retry_letter(&self, id: LetterId, person: &str) -> Result<Letter, EngineError> {
        self.change_letter(id, &LetterInput::Retry, &LetterNews::Retried, person).await
    }

    /// Gives a letter up that is dead or waits.
    pub async fn drop_letter(
        &self,
        id: LetterId,
        reason: &str,
        person: &str,
    ) -> Result<Letter, EngineError> {
        let input = LetterInput::Drop { by: person.to_owned(), reason: reason.to_owned() };
        let news = LetterNews::Dropped { reason: reason.to_owned() };
        self.change_letter(id, &input, &news, person).await
    }

    async fn change_letter(
        &self,
        id: LetterId,
        input: &LetterInput,
        news: &LetterNews,
        person: &str,
    ) -> Result<Letter, EngineError> {
        loop {
            let letter = self.ports.store.find_letter(id).await?;
            let letter = letter.ok_or(EngineError::UnknownLetter { id })?;
            let next = letter.decide(input, self.ports.clock.now())?;
            let actor = Actor::Person { name: person.to_owned() };
            match self.tell_of_letter(&next, news.clone(), actor).await? {
                Told::Now | Told::Unlogged => return Ok(next),
                // Somebody was faster, with the same or with something else: decide again on what they left.
                Told::Before | Told::Fenced => {}
            }
        }
    }
}
