//! Sandboxes as a small model: they belong to the world, not to the engine, and outlive it.

mod place;
mod port;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use camino::{Utf8Path, Utf8PathBuf};
use place::Place;
use ports::{Clock as _, SandboxEnd, SandboxSpec};
use tokio::sync::Notify;

use super::{
    Calls, FakeGit,
    agent::{Act, PROGRAM, Script},
};
use crate::clock::ManualClock;

#[derive(Debug, Default)]
struct Model {
    places: BTreeMap<Utf8PathBuf, Place>,
    /// Directories of agents, in the order of their launch.
    agents: Vec<Utf8PathBuf>,
    scripts: VecDeque<Script>,
    damage: Option<String>,
    forgetful: bool,
    /// Why nothing can be launched.
    unusable: Option<String>,
}

/// Everything that was ever launched.
#[derive(Debug)]
pub struct FakeSandbox {
    model: Arc<Mutex<Model>>,
    changed: Arc<Notify>,
    followers: Arc<AtomicUsize>,
    git: Arc<FakeGit>,
    clock: Arc<ManualClock>,
    calls: Arc<Calls>,
}

impl FakeSandbox {
    pub(super) fn new(git: Arc<FakeGit>, clock: Arc<ManualClock>, calls: Arc<Calls>) -> Self {
        let (model, changed, followers) = (Arc::default(), Arc::default(), Arc::default());
        Self { model, changed, followers, git, clock, calls }
    }

    /// The same sandboxes, as somebody else calls them.
    pub(super) fn called(&self, git: Arc<FakeGit>, calls: Arc<Calls>) -> Self {
        let (model, changed) = (Arc::clone(&self.model), Arc::clone(&self.changed));
        let (followers, clock) = (Arc::clone(&self.followers), Arc::clone(&self.clock));
        Self { model, changed, followers, git, clock, calls }
    }

    /// The next agent that is launched plays this; one without a script writes a file of its own and ends well.
    pub fn next_plays(&self, script: Script) {
        self.model().scripts.push_back(script);
    }

    /// Cannot be used from now on, for that reason; or can again.
    pub fn set_unusable(&self, reason: Option<&str>) {
        self.model().unusable = reason.map(str::to_owned);
    }

    /// How many agents were launched, in the life of the world.
    #[must_use]
    pub fn launches(&self) -> usize {
        self.model().agents.len()
    }

    /// Whether the agent of that launch, from 0, is running.
    #[must_use]
    pub fn is_running(&self, launch: usize) -> bool {
        let dir = self.model().agents.get(launch).cloned();
        dir.is_some_and(|dir| self.runs(&dir))
    }

    /// The directories of agents that are running.
    #[must_use]
    pub fn running(&self) -> Vec<Utf8PathBuf> {
        let dirs = self.model().agents.clone();
        dirs.into_iter().filter(|dir| self.runs(dir)).collect()
    }

    /// From now on nobody sees what was launched, and a launch does not look either: a fault to be found.
    pub fn launch_again(&self) {
        self.model().forgetful = true;
    }

    /// The directories of all agents that were launched, in that order.
    #[must_use]
    pub fn launched(&self) -> Vec<Utf8PathBuf> {
        self.model().agents.clone()
    }

    /// The command line of a launch, from 0, unless what it left was removed.
    #[must_use]
    pub fn launched_with(&self, launch: usize) -> Option<Vec<String>> {
        let model = self.model();
        let place = model.places.get(model.agents.get(launch)?)?;
        Some(place.spec.argv.clone())
    }

    /// How often an agent was launched in a directory.
    #[must_use]
    pub fn launches_in(&self, dir: &Utf8Path) -> usize {
        self.model().agents.iter().filter(|agent| *agent == dir).count()
    }

    /// What was launched that must not be: two agents in one workspace.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.model().damage.clone()
    }

    /// How many callers wait for output or an end: all that was said has been heard.
    #[must_use]
    pub fn followers(&self) -> usize {
        self.followers.load(Ordering::Relaxed)
    }

    /// How the agent of that launch was started.
    #[must_use]
    pub fn spec(&self, launch: usize) -> SandboxSpec {
        let model = self.model();
        model.places[&model.agents[launch]].spec.clone()
    }

    /// Has the agent of that launch, from 0, do something.
    ///
    /// # Panics
    /// If it is not running.
    pub fn play(&self, launch: usize, script: Script) {
        assert!(self.is_running(launch), "agent {launch} does not run");
        let dir = self.model().agents[launch].clone();
        self.act(&dir, script);
    }

    /// The shim of that launch dies without a word.
    pub fn vanish(&self, launch: usize) {
        let mut model = self.model();
        let dir = model.agents[launch].clone();
        model.places.get_mut(&dir).expect("it was launched").vanish();
        drop(model);
        self.tell();
    }

    fn act(&self, dir: &Utf8Path, Script(acts): Script) {
        let now = self.clock.now();
        let mut model = self.model();
        let place = model.places.get_mut(dir).expect("it was launched");
        place.plays(acts, now);
        place.live(&self.git, now);
        drop(model);
        self.tell();
    }

    fn runs(&self, dir: &Utf8Path) -> bool {
        self.place(dir, |place| place.runs()).unwrap_or(false)
    }

    /// A sandbox as it is now, if it was ever launched.
    fn place<T>(&self, dir: &Utf8Path, look: impl FnOnce(&mut Place) -> T) -> Option<T> {
        let now = self.clock.now();
        let mut model = self.model();
        let place = model.places.get_mut(dir)?;
        place.live(&self.git, now);
        Some(look(place))
    }

    /// Runs what was launched, if it is something that ends by itself.
    fn begin(&self, dir: &Utf8Path, spec: &SandboxSpec) {
        if spec.argv[0] == PROGRAM {
            let beside = self.running().into_iter().find(|other| {
                other != dir && self.place(other, |place| place.spec.cwd == spec.cwd) == Some(true)
            });
            let mut model = self.model();
            if let Some(other) = beside {
                model.damage.get_or_insert(format!("{dir} and {other} share {}", spec.cwd));
            }
            let number = model.agents.len();
            model.agents.push(dir.to_owned());
            let own = || Script::writes(&format!("work-{number}.txt"), "written by the agent");
            let script = model.scripts.pop_front().unwrap_or_else(own);
            drop(model);
            return self.act(dir, script);
        }
        let result = self.git.run_inside(&spec.cwd, &spec.argv);
        let mut model = self.model();
        let (place, now) = (model.places.get_mut(dir).expect("it was launched"), self.clock.now());
        match result {
            Ok(()) => place.end(SandboxEnd::Exited { code: 0 }, now),
            Err(words) => {
                place.complain(&words);
                place.end(SandboxEnd::Exited { code: 1 }, now);
            }
        }
    }

    fn tell(&self) {
        self.changed.notify_waiters();
        self.calls.tell();
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("nobody panics while holding it")
    }
}
