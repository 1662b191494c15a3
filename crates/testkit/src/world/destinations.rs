//! Destinations that remember the keys of what they have, and can be made to misbehave.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    name::DestinationName,
    outbox::{Letter, Route},
    pipeline::EventKindTag,
};
use engine::DestinationSetup;
use ports::{Clock as _, Delivery, Destination};

use super::Calls;
use crate::clock::ManualClock;

/// What a destination does with one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// Takes it.
    Takes,
    /// Takes it after so long.
    Dawdles(Duration),
    /// Takes it, and the answer is lost.
    LosesTheAnswer,
    /// Does not take it this time, and wants to be left alone for so long.
    Busy(Option<Duration>),
    /// Will never take it.
    Refuses,
    /// Never answers.
    Hangs,
    /// Panics.
    Panics,
}

#[derive(Debug, Default)]
struct Desk {
    /// What is done with the next tries; the last one with all that follow.
    plan: VecDeque<Reception>,
    /// The key of every try.
    tries: Vec<String>,
    /// The keys of the letters that were given up.
    abandoned: Vec<String>,
    /// What it has: each key once.
    has: Vec<Letter>,
    /// How many deliveries are under way.
    under_way: u32,
    /// The key of a letter that came while another was under way.
    crowded: Option<String>,
}

/// A destination that outlives every engine.
pub struct FakeDestination {
    route: Route,
    desk: Arc<Mutex<Desk>>,
    clock: Arc<ManualClock>,
    calls: Arc<Calls>,
}

impl fmt::Debug for FakeDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeDestination").field("desk", &self.desk).finish_non_exhaustive()
    }
}

#[async_trait]
impl Destination for FakeDestination {
    async fn deliver(&self, letter: &Letter) -> Delivery {
        let receive = async {
            let reception = self.desk().receive(letter);
            let retry = |after| Delivery::Retry { why: "it is busy".to_owned(), after };
            match reception {
                Reception::Takes => Delivery::Delivered { remote: Some(letter.key()) },
                Reception::Dawdles(time) => {
                    let at = self.clock.now().saturating_add(time).expect("a time there is");
                    self.clock.sleep_until(at).await;
                    self.desk().take(letter);
                    Delivery::Delivered { remote: Some(letter.key()) }
                }
                Reception::LosesTheAnswer => retry(None),
                Reception::Busy(after) => retry(after),
                Reception::Refuses => Delivery::Refused { why: "it never will".to_owned() },
                Reception::Hangs => std::future::pending().await,
                Reception::Panics => panic!("a destination was told to panic"),
            }
        };
        let _counter = Counter::at(&self.desk, letter);
        self.calls.make("destination.deliver", receive).await
    }

    async fn abandon(&self, letter: &Letter) {
        let give_up = async { self.desk().abandoned.push(letter.key()) };
        self.calls.make("destination.abandon", give_up).await;
    }
}

/// One delivery, until it ends in whatever way.
struct Counter<'a>(&'a Mutex<Desk>);

impl<'a> Counter<'a> {
    fn at(desk: &'a Mutex<Desk>, letter: &Letter) -> Self {
        let mut busy = desk.lock().expect("nobody panics while holding it");
        busy.under_way += 1;
        if busy.under_way > 1 {
            busy.crowded.get_or_insert_with(|| letter.key());
        }
        Self(desk)
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        self.0.lock().expect("nobody panics while holding it").under_way -= 1;
    }
}

impl Desk {
    fn receive(&mut self, letter: &Letter) -> Reception {
        self.tries.push(letter.key());
        let reception = self.plan.front().copied().unwrap_or(Reception::Takes);
        if self.plan.len() > 1 {
            self.plan.pop_front();
        }
        if matches!(reception, Reception::Takes | Reception::LosesTheAnswer) {
            self.take(letter);
        }
        reception
    }

    fn take(&mut self, letter: &Letter) {
        if self.has.iter().all(|other| other.key() != letter.key()) {
            self.has.push(letter.clone());
        }
    }
}

impl FakeDestination {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("nobody panics while holding it")
    }

    /// The same destination, as another process calls it.
    fn called(&self, calls: Arc<Calls>) -> Self {
        let (desk, clock) = (Arc::clone(&self.desk), Arc::clone(&self.clock));
        Self { route: self.route.clone(), desk, clock, calls }
    }
}

/// All destinations of a world.
#[derive(Debug)]
pub struct FakeDestinations {
    all: Mutex<BTreeMap<DestinationName, Arc<FakeDestination>>>,
    clock: Arc<ManualClock>,
    calls: Arc<Calls>,
}

impl FakeDestinations {
    pub(super) fn new(clock: Arc<ManualClock>, calls: Arc<Calls>) -> Self {
        Self { all: Mutex::default(), clock, calls }
    }

    /// Makes a destination that wants to hear of these events. Engines that are there already do not know it.
    pub fn found(&self, name: &str, events: &[EventKindTag]) {
        let destination = DestinationName::new(name).expect("a name");
        let route = Route {
            destination: destination.clone(),
            events: events.to_vec(),
            projects: Vec::new(),
        };
        let (clock, calls) = (Arc::clone(&self.clock), Arc::clone(&self.calls));
        let fake = FakeDestination { route, desk: Arc::default(), clock, calls };
        self.all().insert(destination, Arc::new(fake));
    }

    /// What a destination does with its next tries; the last one with all that follow.
    pub fn plan(&self, name: &str, plan: &[Reception]) {
        self.destination(name).desk().plan = plan.iter().copied().collect();
    }

    /// What a destination has, in the order in which it came.
    #[must_use]
    pub fn has(&self, name: &str) -> Vec<Letter> {
        self.destination(name).desk().has.clone()
    }

    /// The keys of the letters to a destination that were given up, in their order.
    #[must_use]
    pub fn abandoned(&self, name: &str) -> Vec<String> {
        self.destination(name).desk().abandoned.clone()
    }

    /// The keys of all tries of a destination, in their order.
    #[must_use]
    pub fn tries(&self, name: &str) -> Vec<String> {
        self.destination(name).desk().tries.clone()
    }

    /// The key of the first letter that came to a destination while another was under way there.
    #[must_use]
    pub fn crowded(&self) -> Option<String> {
        self.all().values().find_map(|fake| fake.desk().crowded.clone())
    }

    /// What each destination wants to hear.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        self.all().values().map(|fake| fake.route.clone()).collect()
    }

    /// As an engine whose calls these are is told of them.
    #[must_use]
    pub fn setups(&self, calls: &Arc<Calls>) -> BTreeMap<DestinationName, DestinationSetup> {
        let setup = |(name, fake): (&DestinationName, &Arc<FakeDestination>)| {
            let port = Arc::new(fake.called(Arc::clone(calls)));
            (name.clone(), DestinationSetup { route: fake.route.clone(), port })
        };
        self.all().iter().map(setup).collect()
    }

    fn destination(&self, name: &str) -> Arc<FakeDestination> {
        let name = DestinationName::new(name).expect("a name");
        Arc::clone(self.all().get(&name).expect("a destination that was founded"))
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<DestinationName, Arc<FakeDestination>>> {
        self.all.lock().expect("nobody panics while holding it")
    }
}
