//! An engine in a world.

use std::{future::Future, sync::Arc, time::Duration};

use domain::{
    definition::Definition,
    id::PipelineId,
    name::{AgentName, ProjectKey},
    pipeline::{Delivery, EventKindTag, Input, PipelineOptions},
    revision::BranchName,
};
use engine::{AtRest, Engine, EngineError, NewItem, StopMode, Tenancy, stop_channel};
use ports::{ProjectRecord, Store};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use super::{World, definitions};
use crate::store_model::ModelStore;

/// How long a test waits for what never comes before it says so. Nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The person of all stories.
pub const PERSON: &str = "ann";

/// An engine at work.
struct Worker {
    task: JoinHandle<Result<(), EngineError>>,
    stop: watch::Sender<Option<StopMode>>,
}

/// An engine, the world it works on, and a project in it.
pub struct TestEnv {
    /// Everything around the engine; outlives it.
    pub world: World,
    /// The project.
    pub project: ProjectKey,
    /// What new pipelines go by.
    pub definition: Definition,
    engine: Arc<Engine>,
    worker: Option<Worker>,
    /// Engines that were given up for dead and are not.
    undead: Vec<Worker>,
    engines: u32,
    tenancy: Tenancy,
}

impl TestEnv {
    /// An engine on a store in plain maps; pipelines go by [`definitions::build_and_ship`].
    pub async fn new() -> Self {
        Self::on(Arc::new(ModelStore::default())).await
    }

    /// An engine on this store, which is empty.
    pub async fn on(store: Arc<dyn Store>) -> Self {
        let world = World::on(store);
        let project = ProjectKey::new("ET").expect("a name");
        let engine = world.engine("engine-1", Tenancy::Alone);
        let definition = definitions::build_and_ship();
        let env = Self {
            world,
            project,
            definition,
            engine,
            worker: None,
            undead: Vec::new(),
            engines: 1,
            tenancy: Tenancy::Alone,
        };
        env.found_project(&env.project).await;
        env
    }

    /// The same, with another definition.
    #[must_use]
    pub fn with_definition(self, definition: Definition) -> Self {
        Self { definition, ..self }
    }

    /// The same, with engines that know of others on the store.
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.tenancy = Tenancy::Shared;
        self.replace_engine();
        self
    }

    /// The same, with destinations: a name, and the events that it wants to hear.
    #[must_use]
    pub fn with_destinations(mut self, destinations: &[(&str, &[EventKindTag])]) -> Self {
        for (name, events) in destinations {
            self.world.destinations.found(name, events);
        }
        self.replace_engine();
        self
    }

    /// Makes a project with a repository, which our mirror has seen.
    pub async fn found_project(&self, key: &ProjectKey) {
        self.world.git.found(key);
        let record = ProjectRecord { key: key.clone(), repository: format!("/people/{key}") };
        self.world.store.save_project(&record).await.expect("a store that is well");
        self.world.sync(key).await;
    }

    /// The engine, for what people ask of it.
    #[must_use]
    pub const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Makes a pipeline and starts it.
    pub async fn start(&self, title: &str) -> PipelineId {
        let id = self.create(title).await;
        let _moved = self.engine.ask(id, &Input::Start, PERSON).await.expect("a new one starts");
        id
    }

    /// Makes a pipeline whose roles this agent plays, `fake` or `other`, and starts it.
    pub async fn start_with(&self, title: &str, agent: &str) -> PipelineId {
        let agent = AgentName::new(agent).expect("a name");
        let id = self.create_with(title, Some(agent)).await;
        let _moved = self.engine.ask(id, &Input::Start, PERSON).await.expect("a new one starts");
        id
    }

    /// Makes a pipeline, `queued`.
    pub async fn create(&self, title: &str) -> PipelineId {
        self.create_with(title, None).await
    }

    async fn create_with(&self, title: &str, agent: Option<AgentName>) -> PipelineId {
        let item = NewItem {
            project: self.project.clone(),
            title: title.to_owned(),
            ascii_title: title.to_owned(),
            description: "As was said.".to_owned(),
            target: BranchName::new("main").expect("a branch"),
            options: PipelineOptions { delivery: Delivery::Merge, human_gates: true, agent },
        };
        let hash = definitions::hash(&self.definition);
        let made = self.engine.create(&item, &self.definition, &hash).await;
        made.expect("a title that does").id
    }

    /// Has the engine work until it is stopped or everything is at rest.
    ///
    /// # Panics
    /// If it works already.
    pub fn work(&mut self) {
        assert!(self.worker.is_none(), "the engine works already");
        let (stop, signal) = stop_channel();
        let engine = Arc::clone(&self.engine);
        let task = tokio::spawn(async move { engine.run(signal, AtRest::Return).await });
        self.worker = Some(Worker { task, stop });
    }

    /// Waits until the engine has ended by itself, and says how.
    pub async fn ended(&mut self) -> Result<(), EngineError> {
        let Worker { task, stop: _stop } = self.worker.take().expect("an engine at work");
        self.patiently("the engine ends", task).await.expect("the engine does not panic")
    }

    /// Has the engine work until everything is at rest.
    pub async fn work_to_rest(&mut self) {
        if self.worker.is_none() {
            self.work();
        }
        self.ended().await.expect("an engine that ends well");
    }

    /// Has the engine that is at work go on until everything is at rest, while time passes in steps.
    pub async fn rest_as_time_passes(&mut self, step: Duration) -> Result<(), EngineError> {
        let Worker { mut task, stop: _stop } = self.worker.take().expect("an engine at work");
        let rest = async {
            loop {
                tokio::select! {
                    biased;
                    ended = &mut task => return ended.expect("the engine does not panic"),
                    () = tokio::task::yield_now() => self.world.clock.advance(step),
                }
            }
        };
        self.patiently("the engine ends", rest).await
    }

    /// Tells the engine to stop, without waiting for it.
    pub fn tell_to_stop(&self, mode: StopMode) {
        self.worker.as_ref().expect("an engine at work").stop.send_replace(Some(mode));
    }

    /// Stops the engine in good order. The next one is another process.
    pub async fn stop(&mut self, mode: StopMode) {
        self.tell_to_stop(mode);
        self.ended().await.expect("an engine that ends well");
        self.replace_engine();
    }

    /// The process dies where it is: nothing of the engine is left but what it wrote.
    pub async fn crash(&mut self) {
        let Worker { task, stop: _stop } = self.worker.take().expect("an engine at work");
        task.abort();
        let _aborted = task.await;
        let dead = self.replace_engine();
        let gone = async {
            while Arc::strong_count(&dead) > 1 {
                tokio::task::yield_now().await;
            }
        };
        self.patiently("all tasks of the dead engine are gone", gone).await;
        self.world.calls.disarm();
    }

    /// The process dies where it is, and the next one is at work.
    pub async fn crash_and_restart(&mut self) {
        self.crash().await;
        self.work();
    }

    /// The process is taken for dead although it works: the next one works beside it.
    pub fn take_for_dead(&mut self) {
        self.undead.extend(self.worker.take());
        self.replace_engine();
        self.work();
    }

    /// Puts another process in the engine's place, and returns the old one.
    fn replace_engine(&mut self) -> Arc<Engine> {
        self.engines += 1;
        let next = self.world.engine(&format!("engine-{}", self.engines), self.tenancy);
        std::mem::replace(&mut self.engine, next)
    }

    /// Waits until something holds. It is looked at whenever anything happens in the world.
    pub async fn until(&self, what: &str, holds: impl AsyncFn(&World) -> bool) {
        let mut happened = self.world.calls.watch();
        let wait = async {
            loop {
                happened.borrow_and_update();
                if holds(&self.world).await {
                    return;
                }
                happened.changed().await.expect("the world lives as long as this call");
            }
        };
        self.patiently(what, wait).await;
    }

    /// Has the engine work until a trap springs or everything is at rest. Says whether the trap did.
    pub async fn work_into_trap(&mut self) -> bool {
        self.work();
        let mut worker = self.worker.take().expect("it works");
        let trapped = tokio::select! {
            () = self.trapped() => true,
            ended = &mut worker.task => {
                ended.expect("the engine does not panic").expect("an engine that ends well");
                false
            }
        };
        self.worker = trapped.then_some(worker);
        trapped
    }

    /// Waits until the call that a trap was set for hangs in it.
    pub async fn trapped(&self) {
        self.until("the trap springs", async |world| world.calls.sprung().is_some()).await;
    }

    /// Moves the clock, and waits until the engine has looked for work at the new time.
    pub async fn advance(&self, by: Duration) {
        let looks = self.world.calls.answered("store.claim");
        self.world.clock.advance(by);
        self.world.bell.ring();
        let looked = async |world: &World| world.calls.answered("store.claim") > looks;
        self.until("the engine looks for work", looked).await;
    }

    async fn patiently<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let Ok(value) = timeout(PATIENCE, future).await else {
            panic!("waited in vain until {what}:\n{}", self.world.story().await)
        };
        value
    }
}
