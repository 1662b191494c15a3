//! Sandboxes as a small model: they belong to the world, not to the engine, and outlive it.

mod place;
mod port;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use camino::{Utf8Path, Utf8PathBuf};
use place::Place;
use ports::{Clock as _, SandboxEnd, SandboxSpec};
use tokio::sync::watch;

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
}

/// Everything that was ever launched.
#[derive(Debug)]
pub struct FakeSandbox {
    model: Mutex<Model>,
    changed: watch::Sender<u64>,
    git: Arc<FakeGit>,
    clock: Arc<ManualClock>,
    calls: Arc<Calls>,
}

impl FakeSandbox {
    pub(super) fn new(git: Arc<FakeGit>, clock: Arc<ManualClock>, calls: Arc<Calls>) -> Self {
        Self { model: Mutex::default(), changed: watch::Sender::new(0), git, clock, calls }
    }

    /// The next agent that is launched plays this; one without a script writes a file of its own and ends well.
    pub fn next_plays(&self, script: Script) {
        self.model().scripts.push_back(script);
    }

    /// How many agents were launched, in the life of the world.
    #[must_use]
    pub fn launches(&self) -> usize {
        self.model().agents.len()
    }

    /// Whether the agent of that launch, from 0, is running.
    #[must_use]
    pub fn is_running(&self, launch: usize) -> bool {
        let mut model = self.model();
        let dir = model.agents.get(launch).cloned();
        let now = self.clock.now();
        dir.is_some_and(|dir| model.places.get_mut(&dir).is_some_and(|place| place.runs(now)))
    }

    /// How many callers wait for output or an end: all that was said has been heard.
    #[must_use]
    pub fn followers(&self) -> usize {
        self.changed.receiver_count()
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
        for act in acts {
            let now = self.clock.now();
            let mut model = self.model();
            let place = model.places.get_mut(dir).expect("it was launched");
            match act {
                Act::Say(line) => place.say(&line, now),
                Act::Defy => place.defy(),
                Act::End(code) => place.end(SandboxEnd::Exited { code }, now),
                Act::Write(path, content) => self.git.write(&place.spec.cwd, &path, &content),
            }
        }
        self.tell();
    }

    /// Runs what was launched, if it is something that ends by itself.
    fn begin(&self, dir: &Utf8Path, spec: &SandboxSpec) {
        if spec.argv[0] == PROGRAM {
            let mut model = self.model();
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
        self.changed.send_modify(|count| *count += 1);
        self.calls.tell();
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("nobody panics while holding it")
    }
}
