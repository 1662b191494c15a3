//! Takes the letters that are due, and asks their destinations to take them.

use std::sync::Arc;

use domain::{
    limits::{DELIVERY_TIME_LIMIT, LETTER_LEASE_TTL, LETTER_WORDS_CHARS_MAX},
    name::DestinationName,
    outbox::{Letter, LetterInput},
};
use jiff::{SignedDuration, Timestamp};
use ports::{Delivery, TakeLetters};
use tokio::sync::watch;

use super::Outbox;
use crate::{DestinationSetup, Engine, EngineError};

impl Engine {
    /// Takes the letters that are due to destinations that are sent nothing now, and begins to deliver them.
    pub(crate) async fn send_letters(
        self: &Arc<Self>,
        outbox: &mut Outbox,
    ) -> Result<(), EngineError> {
        let idle = self.idle_destinations();
        if idle.is_empty() {
            outbox.next = None;
            return Ok(());
        }
        let wish = TakeLetters {
            owner: self.options.owner.clone(),
            now: self.ports.clock.now(),
            ttl: LETTER_LEASE_TTL,
            destinations: idle,
        };
        for letter in self.ports.store.take_letters(&wish).await? {
            // It was taken for a destination that is there.
            let Some(setup) = self.options.destinations.get(&letter.destination) else { continue };
            let under_way = UnderWay::begin(self, &letter.destination);
            let (engine, setup) = (Arc::clone(self), setup.clone());
            let closing = outbox.closing.subscribe();
            outbox.tasks.spawn(async move {
                engine.deliver(&setup, &letter, closing).await;
                drop(under_way);
            });
        }
        outbox.next = self.ports.store.next_letter(&self.idle_destinations()).await?;
        Ok(())
    }

    fn idle_destinations(&self) -> Vec<DestinationName> {
        let sending = self.sending.lock().expect("no holder panics");
        self.options.destinations.keys().filter(|name| !sending.contains(*name)).cloned().collect()
    }

    async fn deliver(
        &self,
        setup: &DestinationSetup,
        letter: &Letter,
        closing: watch::Receiver<Option<Timestamp>>,
    ) {
        let input = if letter.is_lost_too_often() {
            self.give_up(setup, letter, closing).await
        } else {
            self.try_to_deliver(setup, letter, closing).await
        };
        self.settle(letter, &input).await;
    }

    /// Has a letter that ended the process each time given up. What is left of its tries has as long to end as a try.
    async fn give_up(
        &self,
        setup: &DestinationSetup,
        letter: &Letter,
        closing: watch::Receiver<Option<Timestamp>>,
    ) -> LetterInput {
        tokio::select! {
            biased;
            () = setup.port.abandon(letter) => {}
            () = self.ports.clock.sleep_until(self.delivery_limit()) => {
                tracing::warn!(letter.id = %letter.id, "what its deliveries left does not end");
            }
            () = self.closed(closing) => return LetterInput::Released,
        }
        let why = format!(
            "the orchestrator ended {} times in a row while it was being delivered",
            letter.lost
        );
        LetterInput::GivenUp { why }
    }

    /// Until when what is begun now has to have ended.
    fn delivery_limit(&self) -> Timestamp {
        let limit = SignedDuration::try_from(DELIVERY_TIME_LIMIT).unwrap_or(SignedDuration::MAX);
        self.ports.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX)
    }

    async fn try_to_deliver(
        &self,
        setup: &DestinationSetup,
        letter: &Letter,
        closing: watch::Receiver<Option<Timestamp>>,
    ) -> LetterInput {
        let delivery = tokio::select! {
            biased;
            delivery = setup.port.deliver(letter) => delivery,
            () = self.ports.clock.sleep_until(self.delivery_limit()) => Delivery::Retry {
                why: format!("it did not answer within {} s", DELIVERY_TIME_LIMIT.as_secs()),
                after: None,
            },
            () = self.closed(closing) => return LetterInput::Released,
        };
        match delivery {
            Delivery::Delivered { remote } => {
                LetterInput::Delivered { remote: remote.map(|remote| short(&remote)) }
            }
            Delivery::Retry { why, after } => {
                LetterInput::Failed { why: short(&why), retry_after: after, jitter: self.jitter() }
            }
            Delivery::Refused { why } => LetterInput::Refused { why: short(&why) },
        }
    }

    /// Returns when a delivery has to be given up.
    async fn closed(&self, mut closing: watch::Receiver<Option<Timestamp>>) {
        // Where the loop is gone, nobody waits for us any more.
        let at = closing.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        if let Some(at) = at {
            self.ports.clock.sleep_until(at).await;
        }
    }
}

/// A destination's place in the list of those that are sent something, until the delivery ends in whatever way.
struct UnderWay {
    engine: Arc<Engine>,
    destination: DestinationName,
}

impl UnderWay {
    fn begin(engine: &Arc<Engine>, destination: &DestinationName) -> Self {
        engine.sending.lock().expect("no holder panics").insert(destination.clone());
        Self { engine: Arc::clone(engine), destination: destination.clone() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.engine.sending.lock().expect("no holder panics").remove(&self.destination);
    }
}

/// What is kept of a destination's words: one line, without control characters.
fn short(words: &str) -> String {
    let plain = words.split_whitespace().collect::<Vec<_>>().join(" ");
    plain.chars().filter(|it| !it.is_control()).take(LETTER_WORDS_CHARS_MAX).collect()
}
