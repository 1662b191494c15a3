//! Makes decisions happen, durably.
//!
//! [`Engine::apply`] is the one door to a pipeline's state; [`Engine::run`] claims jobs, does them through the ports
//! and brings their reports back through that door. Nothing here decides what a pipeline does next, and nothing
//! here touches the world but through a port.

mod apply;
mod breakers;
mod chain;
mod error;
mod fresh;
mod layout;
mod people;
mod preflight;
mod progress;
mod settings;

mod damage;
mod jobs;
mod orphans;
mod outbox;
mod overdue;
mod recover;
mod sweep;
mod timers;
mod watchdog;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

pub use apply::{Cause, JobReport, Outcome};
pub use breakers::Parked;
pub use chain::chain;
use domain::{
    definition::{Definition, DefinitionHash},
    id::{JobId, PipelineId},
    name::{AgentName, DestinationName},
};
pub use error::EngineError;
pub use layout::Layout;
pub use orphans::was_given_up;
pub use overdue::Keepers;
pub use people::NewItem;
use ports::{Agent, AgentProfile};
pub use preflight::Lack;
pub use progress::{Progress, RunFound};
pub use settings::{
    AgentSetup, DestinationSetup, Options, Ports, ProjectSettings, RoleSettings, Tenancy,
};
pub use sweep::find_left_behind;
use tokio::sync::{broadcast, watch};
pub use worker::{AtRest, StopMode, StopSignal, stop_channel};

/// How many progress messages a slow watcher may fall behind before it misses some.
const PROGRESS_BACKLOG: usize = 4096;

/// The engine. Cheap to share behind an `Arc`; all state that matters is in the store.
pub struct Engine {
    ports: Ports,
    options: Options,
    layout: Layout,
    progress: broadcast::Sender<Progress>,
    /// Pinned definitions never change, so that they are read once.
    definitions: Mutex<BTreeMap<DefinitionHash, Arc<Definition>>>,
    /// Jobs of this process, and how to tell them to stop.
    running: Mutex<BTreeMap<JobId, worker::Running>>,
    /// Whether somebody wants this engine to end.
    stopping: watch::Sender<bool>,
    /// Held by whoever has counted what ends the process, should it end, until that counts no more.
    counting: tokio::sync::RwLock<()>,
    /// Destinations that are being sent a letter by this process.
    sending: Mutex<BTreeSet<DestinationName>>,
    /// Pipelines that are left alone because of a damaged row.
    parked: Mutex<damage::Parked>,
    /// One run at a time in a workspace: an agent that is being stopped must be gone before the next one comes.
    workspaces: jobs::WorkspaceTurns,
    /// Where the last look for workspaces that were left behind has come to. Held by whoever removes some.
    swept: Arc<tokio::sync::Mutex<Option<PipelineId>>>,
    /// Pipelines of which an agent could not be stopped, or what it left not be kept, for a reason that may pass: as the
    /// last look found it.
    unkept: Mutex<BTreeSet<PipelineId>>,
    /// The job that was last said to be overdue.
    overdue: Mutex<Option<JobId>>,
    /// What was found able to work, or not, before jobs were given out.
    preflight: Mutex<preflight::Preflight>,
    /// What others can read of that. Whoever holds it writes the file: of two at once the older text could be the last.
    told: tokio::sync::Mutex<preflight::Told>,
}

impl Engine {
    /// An engine on these ports. Does nothing yet.
    #[must_use]
    pub fn new(ports: Ports, options: Options) -> Arc<Self> {
        let (progress, _) = broadcast::channel(PROGRESS_BACKLOG);
        let layout = Layout::new(options.data_dir.clone());
        Arc::new(Self {
            ports,
            options,
            layout,
            progress,
            definitions: Mutex::default(),
            running: Mutex::default(),
            stopping: watch::Sender::default(),
            counting: tokio::sync::RwLock::default(),
            sending: Mutex::default(),
            parked: Mutex::default(),
            workspaces: jobs::WorkspaceTurns::default(),
            swept: Arc::default(),
            unkept: Mutex::default(),
            overdue: Mutex::default(),
            preflight: Mutex::default(),
            told: tokio::sync::Mutex::default(),
        })
    }

    /// What happens, as it happens. Nothing is kept: the log of events is in the store.
    pub fn watch(&self) -> broadcast::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// An agent as it is set up here, and where its program is looked up.
    pub fn agent(&self, name: &AgentName) -> Option<(&dyn Agent, &AgentProfile, &str)> {
        let setup = self.options.agents.get(name)?;
        Some((setup.kind.as_ref(), &setup.profile, self.options.path.as_str()))
    }

    /// Where things are.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }
}
