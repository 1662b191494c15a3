//! One orchestrator: an engine, its own way to the world, and what it is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::name::AgentName;
use engine::{AtRest, Engine, EngineError, StopMode, Tenancy, stop_channel};
use ports::Caps;
use tokio::{sync::watch, task::JoinSet};

use super::{
    lockstep::LockstepStore, mutation::Mutation, plan::Plan, record::Record, toll::ProcessToll,
};
use crate::world::{Calls, WatchedStore, World, options};

/// How long an agent may take: longer than a node is ever gone.
const AGENT_TIME_LIMIT: Duration = Duration::from_mins(8);

/// How an engine ended, once it has.
type Ended = Arc<Mutex<Option<Result<(), EngineError>>>>;

/// A process, until it is dropped.
pub(super) struct Process {
    pub(super) name: String,
    pub(super) engine: Arc<Engine>,
    pub(super) toll: Arc<ProcessToll>,
    pub(super) store: Arc<WatchedStore>,
    /// The store has refused something: it may end with an error.
    pub(super) was_refused: bool,
    record: Arc<Record>,
    tasks: JoinSet<()>,
    stop: Option<watch::Sender<Option<StopMode>>>,
    ended: Ended,
}

impl Process {
    pub(super) fn new(
        name: &str,
        plan: &Plan,
        world: &World,
        store: &LockstepStore,
        mutation: Option<Mutation>,
        toll: Arc<ProcessToll>,
        record: Arc<Record>,
    ) -> Self {
        let calls = Arc::new(Calls::through(Arc::clone(&toll) as _));
        let (mut ports, watched) = world.ports(Arc::new(store.called_by(name, mutation)), &calls);
        if let Some(mutation) = mutation {
            mutation.ports(&mut ports);
        }
        let mut options = options_of(plan, name);
        options.destinations = world.destinations.setups(&calls);
        record.set_alive(name, true);
        Self {
            name: name.to_owned(),
            engine: Engine::new(ports, options),
            toll,
            store: watched,
            was_refused: false,
            record,
            tasks: JoinSet::new(),
            stop: None,
            ended: Ended::default(),
        }
    }

    /// Works from now on, if it does not already.
    pub(super) fn work(&mut self, at_rest: AtRest) {
        if self.stop.is_some() {
            return;
        }
        let (stop, signal) = stop_channel();
        self.stop = Some(stop);
        let (engine, ended) = (Arc::clone(&self.engine), Arc::clone(&self.ended));
        self.tasks.spawn(async move {
            let result = engine.run(signal, at_rest).await;
            *ended.lock().expect("nobody panics while holding it") = Some(result);
        });
    }

    /// Does something for somebody, beside its work.
    pub(super) fn does(&mut self, errand: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(errand);
    }

    pub(super) fn is_told_to_stop(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.borrow().is_some())
    }

    pub(super) fn tell_to_stop(&self, mode: StopMode) {
        if let Some(stop) = &self.stop {
            stop.send_replace(Some(mode));
        }
    }

    /// How its work ended, if it has.
    pub(super) fn ended(&self) -> Option<Result<(), EngineError>> {
        self.ended.lock().expect("nobody panics while holding it").take()
    }

    /// Whether one of its tasks panicked, in words.
    pub(super) fn panicked(&mut self) -> Option<String> {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                return Some(error.to_string());
            }
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its tasks end at their next turn; until then nothing that they do comes true.
        self.toll.kill();
        self.record.set_alive(&self.name, false);
    }
}

/// How much may run at once.
pub(super) fn caps_of(plan: &Plan, agent: AgentName) -> Caps {
    Caps {
        total: plan.cap.into(),
        per_project: plan.project_cap.map(Into::into),
        per_agent: plan.agent_cap.map(|cap| (agent, cap.into())).into_iter().collect(),
    }
}

fn options_of(plan: &Plan, owner: &str) -> engine::Options {
    let tenancy = if plan.nodes > 1 { Tenancy::Shared } else { Tenancy::Alone };
    let mut options = options(owner, tenancy);
    let agent = options.default_project.agent.clone();
    options.caps = caps_of(plan, agent);
    for setup in options.agents.values_mut() {
        setup.time_limit = Some(AGENT_TIME_LIMIT);
    }
    options
}
