//! Remembers what became of a letter, and tells its pipeline where a person should know.

use domain::{
    outbox::{Letter, LetterInput, LetterNews, LetterState},
    pipeline::{Actor, Input},
};
use jiff::Timestamp;

use crate::{
    Cause, Engine, EngineError, Outcome, chain,
    worker::{Refusals, STORE_RETRY},
};

/// What became of the news of a letter, and with it of the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Both are saved.
    Now,
    /// The same was saved before.
    Before,
    /// The letter is saved, and its pipeline could not be told.
    Unlogged,
    /// Nothing is saved: the letter is another one by now.
    Fenced,
}

impl Engine {
    /// Remembers what became of a letter, and tries again while the store is unwell. What cannot be told in the end is not
    /// lost: the lease runs out, the letter is taken again, and its destination knows the key.
    pub(super) async fn settle(&self, letter: &Letter, input: &LetterInput) {
        let mut refusals = Refusals::default();
        while !refusals.are_too_many() {
            match self.try_to_settle(letter, input).await {
                Ok(()) => {
                    if let Some(count) = refusals.over() {
                        tracing::warn!(letter.id = %letter.id, "settled a letter after {count} tries that failed");
                    }
                    return;
                }
                // The loop meets it as well.
                Err(error) if error.is_of_an_unusable_store() => return,
                Err(error @ EngineError::Store(_)) => {
                    if refusals.one_more() {
                        tracing::error!(letter.id = %letter.id, "could not settle a letter: {}", chain(&error));
                    }
                    let again = self.ports.clock.now().saturating_add(STORE_RETRY);
                    self.ports.clock.sleep_until(again.unwrap_or(Timestamp::MAX)).await;
                }
                Err(error) => {
                    tracing::error!(letter.id = %letter.id, "could not settle a letter: {}", chain(&error));
                    return;
                }
            }
        }
    }

    async fn try_to_settle(&self, letter: &Letter, input: &LetterInput) -> Result<(), EngineError> {
        let next = letter.decide(input, self.ports.clock.now())?;
        let was_ours = match &next.state {
            LetterState::Dead { why, .. } => {
                let news = LetterNews::Died { why: why.clone() };
                // Told before: by us, whose answer was lost.
                let told = self.tell_of_letter(&next, news, Actor::Engine).await? != Told::Fenced;
                if told {
                    tracing::error!(
                        letter.id = %next.id, destination = %next.destination, pipeline.id = %next.event.pipeline,
                        "a letter is dead, those behind it go on: {why}"
                    );
                }
                told
            }
            _ => self.ports.store.settle_letter(&next).await?,
        };
        if !was_ours {
            tracing::warn!(letter.id = %letter.id, "a letter was taken by somebody else meanwhile");
        }
        Ok(())
    }

    /// Saves a letter together with the news of it in its pipeline's log. A pipeline that cannot be told, because it is
    /// damaged, does not keep the letter from its end.
    pub(super) async fn tell_of_letter(
        &self,
        next: &Letter,
        news: LetterNews,
        actor: Actor,
    ) -> Result<Told, EngineError> {
        // Two changes of one version are two inputs: who comes second is fenced, and was not heard already.
        let key = format!("letter/{}/{}/{}", next.id, next.version, news.name());
        let input = Input::Letter {
            letter: next.id,
            destination: next.destination.clone(),
            about: next.event.number,
            news,
        };
        let cause = Cause { actor, key, job: None, run: None, fired: None };
        let pipeline = next.event.pipeline;
        match self.apply_with_letter(pipeline, &input, &cause, Some(next)).await {
            Err(error) if error.is_damage() => {
                tracing::error!(letter.id = %next.id, pipeline.id = %pipeline, "could not tell of a letter: {}", chain(&error));
                let settled = self.ports.store.settle_letter(next).await?;
                Ok(if settled { Told::Unlogged } else { Told::Fenced })
            }
            Ok(Outcome::Moved(_)) => Ok(Told::Now),
            Ok(Outcome::Duplicate) => Ok(Told::Before),
            Ok(Outcome::Fenced) => Ok(Told::Fenced),
            Err(error) => Err(error),
        }
    }
}
