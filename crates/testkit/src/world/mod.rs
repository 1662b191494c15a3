//! A world for an engine: everything behind its ports as small models with state.
//!
//! The fakes refuse nonsense like the real things, and nothing in here moves by itself: time stands still until a
//! test moves it, agents do what their scripts say. [`TestEnv`] puts an engine into it.

mod env;
mod view;

pub mod definitions;

mod calls;

mod agent;
mod destinations;
mod gates;
mod git;
mod sandbox;
mod small;
mod store;

use std::{collections::BTreeMap, sync::Arc};

pub use agent::{Act, FAKE_KEY, FakeAgent, STALL_LIMIT, Script};
pub use calls::{Calls, Side, Toll};
pub use destinations::{FakeDestination, FakeDestinations, Reception};
use domain::name::ProjectKey;
use engine::{AgentSetup, Engine, Options, Ports, ProjectSettings, Tenancy};
pub use env::{PERSON, TestEnv};
pub use gates::{Answer, FakeGates};
pub use git::FakeGit;
use ports::{Caps, Git as _, MergeStrategy, ProjectRef, Store};
pub use sandbox::FakeSandbox;
pub use small::{Bell, FakeBriefs, FakeFiles, FakeMachine, Listener, SeededEntropy};
pub use store::WatchedStore;

use crate::clock::ManualClock;

/// Everything around an engine. Outlives it.
pub struct World {
    /// What is remembered, as tests read it.
    pub store: Arc<dyn Store>,
    /// The engine's way to it.
    pub watched_store: Arc<WatchedStore>,
    /// The time.
    pub clock: Arc<ManualClock>,
    /// Repositories and workspaces.
    pub git: Arc<FakeGit>,
    /// What was launched.
    pub sandbox: Arc<FakeSandbox>,
    /// Who judges.
    pub gates: Arc<FakeGates>,
    /// What agents were told.
    pub briefs: Arc<FakeBriefs>,
    /// Files of our own.
    pub files: Arc<FakeFiles>,
    /// Where letters go.
    pub destinations: Arc<FakeDestinations>,
    /// What everything runs on.
    pub machine: Arc<FakeMachine>,
    /// What wakes engines.
    pub bell: Arc<Bell>,
    /// Every call of a port.
    pub calls: Arc<Calls>,
    entropy: Arc<SeededEntropy>,
}

impl World {
    /// A world around a store.
    #[must_use]
    pub fn on(store: Arc<dyn Store>) -> Self {
        let calls = Arc::<Calls>::default();
        let clock = Arc::<ManualClock>::default();
        let git = Arc::new(FakeGit::new(Arc::clone(&calls)));
        let (a_git, a_clock) = (|| Arc::clone(&git), || Arc::clone(&clock));
        Self {
            watched_store: Arc::new(WatchedStore::new(Arc::clone(&store), Arc::clone(&calls))),
            sandbox: Arc::new(FakeSandbox::new(a_git(), a_clock(), Arc::clone(&calls))),
            gates: Arc::new(FakeGates::new(a_git(), a_clock(), Arc::clone(&calls))),
            briefs: Arc::default(),
            files: Arc::new(FakeFiles::new(Arc::clone(&calls))),
            destinations: Arc::new(FakeDestinations::new(a_clock(), Arc::clone(&calls))),
            machine: Arc::new(FakeMachine::new(Arc::clone(&calls))),
            bell: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(1)),
            store,
            clock,
            git,
            calls,
        }
    }

    /// A world around a store, in which chance is this seed's.
    #[must_use]
    pub fn of_seed(store: Arc<dyn Store>, seed: u64) -> Self {
        Self { entropy: Arc::new(SeededEntropy::new(seed)), ..Self::on(store) }
    }

    /// An engine in this world: a process of that name, alone on its store or not.
    #[must_use]
    pub fn engine(&self, owner: &str, tenancy: Tenancy) -> Arc<Engine> {
        let ports = Ports {
            store: Arc::clone(&self.watched_store) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
            wakeup: Arc::new(self.bell.listener()),
            git: Arc::clone(&self.git) as _,
            sandbox: Arc::clone(&self.sandbox) as _,
            gates: Arc::clone(&self.gates) as _,
            briefs: Arc::clone(&self.briefs) as _,
            files: Arc::clone(&self.files) as _,
            machine: Arc::clone(&self.machine) as _,
        };
        let destinations = self.destinations.setups(&self.calls);
        Engine::new(ports, Options { destinations, ..options(owner, tenancy) })
    }

    /// The ports of a process that has nothing in common with others but this world: its calls and its wake-ups are
    /// its own.
    #[must_use]
    pub fn ports(&self, store: Arc<dyn Store>, calls: &Arc<Calls>) -> (Ports, Arc<WatchedStore>) {
        let git = Arc::new(self.git.called(Arc::clone(calls)));
        let store = Arc::new(WatchedStore::new(store, Arc::clone(calls)));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
            wakeup: Arc::new(Arc::<Bell>::default().listener()),
            sandbox: Arc::new(self.sandbox.called(Arc::clone(&git), Arc::clone(calls))),
            gates: Arc::new(self.gates.called(Arc::clone(&git), Arc::clone(calls))),
            git,
            briefs: Arc::clone(&self.briefs) as _,
            files: Arc::new(self.files.called(Arc::clone(calls))),
            machine: Arc::new(self.machine.called(Arc::clone(calls))),
        };
        (ports, store)
    }

    /// Brings the mirror of a project up to date.
    pub async fn sync(&self, key: &ProjectKey) {
        let project = ProjectRef { key: key.clone(), repository: format!("/people/{key}") };
        self.git.sync(&project).await.expect("a project that was founded");
    }
}

/// What an engine is given that nobody asked for anything else.
#[must_use]
pub fn options(owner: &str, tenancy: Tenancy) -> Options {
    let setup = |name: &str| {
        let profile = agent::profile(name);
        let fake = AgentSetup {
            profile,
            kind: Arc::new(FakeAgent),
            time_limit: None,
            stall_limit: Some(STALL_LIMIT),
            supervision: domain::supervision::Limits::default(),
        };
        (fake.profile.name.clone(), fake)
    };
    let (name, fake) = setup("fake");
    Options {
        owner: owner.to_owned(),
        tenancy,
        data_dir: "/data".into(),
        caps: Caps { total: 4, per_project: None, per_agent: BTreeMap::new() },
        agents: [(name.clone(), fake), setup("other")].into(),
        destinations: BTreeMap::new(),
        projects: BTreeMap::new(),
        default_project: ProjectSettings {
            roles: BTreeMap::new(),
            agent: name,
            merge_strategy: MergeStrategy::Rebase,
        },
        path: "/usr/bin".to_owned(),
        env: BTreeMap::new(),
        mounts: Vec::new(),
        gatewright: "/usr/bin/gatewright".into(),
        login_home: None,
    }
}
