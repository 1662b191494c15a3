//! Delivers letters: one at a time to each destination, in the order of the events that they tell of.
//!
//! The loop that claims jobs takes letters too, under leases that outlive any delivery: nothing has to be renewed, and
//! what a dead process was delivering is taken again. A destination that hangs or refuses holds up nobody else.

use std::sync::Arc;

use domain::{
    id::LetterId,
    limits::{DELIVERY_TIME_LIMIT, LETTER_LEASE_TTL, LETTER_WORDS_CHARS_MAX},
    name::DestinationName,
    outbox::{Letter, LetterInput, LetterNews, LetterState, LetterStateTag},
    pipeline::{Actor, Input},
};
use jiff::{SignedDuration, Timestamp};
use ports::{Delivery, LetterFilter, TakeLetters};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};

use crate::{
    Cause, DestinationSetup, Engine, EngineError, Outcome, Tenancy,
    worker::{STORE_RETRY, STORE_TRIES, chain},
};

/// How long letters may keep a process that is told to stop or has nothing else to do: one that is told to stop has to be
/// gone within 5 s.
pub(crate) const LETTER_GRACE: SignedDuration = SignedDuration::from_secs(4);
/// How long a delivery that is under way may keep a process that has nothing else to do: a little longer than its own limit.
pub(crate) const DELIVERY_GRACE: SignedDuration =
    SignedDuration::from_secs(DELIVERY_TIME_LIMIT.as_secs().cast_signed() + 1);

/// The deliveries that a loop has under way.
pub(crate) struct Outbox {
    tasks: JoinSet<()>,
    /// When those under way are given up, once that is known.
    closing: watch::Sender<Option<Timestamp>>,
    /// When the next letter to a destination that is sent nothing now can be taken.
    next: Option<Timestamp>,
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
            let why = format!(
                "the orchestrator ended {} times in a row while it was being delivered",
                letter.lost
            );
            LetterInput::Refused { why }
        } else {
            self.try_to_deliver(setup, letter, closing).await
        };
        self.settle(letter, &input).await;
    }

    async fn try_to_deliver(
        &self,
        setup: &DestinationSetup,
        letter: &Letter,
        closing: watch::Receiver<Option<Timestamp>>,
    ) -> LetterInput {
        let limit = SignedDuration::try_from(DELIVERY_TIME_LIMIT).unwrap_or(SignedDuration::MAX);
        let limit = self.ports.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX);
        let delivery = tokio::select! {
            biased;
            delivery = setup.port.deliver(letter) => delivery,
            () = self.ports.clock.sleep_until(limit) => Delivery::Retry {
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

    /// Remembers what became of a letter, and tries again while the store is unwell. What cannot be told in the end is not
    /// lost: the lease runs out, the letter is taken again, and its destination knows the key.
    async fn settle(&self, letter: &Letter, input: &LetterInput) {
        for _ in 0..STORE_TRIES {
            match self.try_to_settle(letter, input).await {
                Ok(()) => return,
                Err(error @ EngineError::Store(_)) => {
                    tracing::error!(letter.id = %letter.id, "could not settle a letter: {}", chain(&error));
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
    async fn tell_of_letter(
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

    /// Gives back the letters that nobody is delivering, for the start. Returns how many there were.
    ///
    /// Alone, those are all that this process is not delivering itself: the lock on the data directory proves that no
    /// other process is alive. Where others may be, their leases have to run out.
    pub async fn recover_letters(&self) -> Result<usize, EngineError> {
        if self.options.tenancy == Tenancy::Shared {
            return Ok(0);
        }
        let filter =
            LetterFilter { state: Some(LetterStateTag::Sending), ..LetterFilter::default() };
        let is_ours = |letter: &Letter| {
            let sending = self.sending.lock().expect("no holder panics");
            matches!(&letter.state, LetterState::Sending { owner, .. } if *owner == self.options.owner)
                && sending.contains(&letter.destination)
        };
        let mut count = 0;
        for letter in self.ports.store.list_letters(&filter).await? {
            if is_ours(&letter) {
                continue;
            }
            let next = letter.decide(&LetterInput::Lost, self.ports.clock.now())?;
            count += usize::from(self.ports.store.settle_letter(&next).await?);
        }
        Ok(count)
    }

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

/// What became of the news of a letter, and with it of the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Both are saved.
    Now,
    /// The same was saved before.
    Before,
    /// The letter is saved, and its pipeline could not be told.
    Unlogged,
    /// Nothing is saved: the letter is another one by now.
    Fenced,
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
