//! Plays a plan: acts, one after the other, and the time that passes between them.

mod launches;
mod letters;
mod nodes;
mod people;
mod surroundings;

use std::{sync::Arc, time::Duration};

use domain::name::{AgentName, ProjectKey};
use engine::StopMode;
use jiff::Timestamp;
use nodes::{Doom, Node, refusal};
use ports::{Clock as _, ProjectRecord, Store as _, StoreError};

use super::{
    bell::{Bell, Rang},
    lockstep::LockstepStore,
    mutation::Mutation,
    plan::{Act, Plan},
    process::caps_of,
    record::Record,
    routes::routes_of,
};
use crate::world::{Side, World};

/// Turns of the play while it waits for calls to pass: an engine that does nothing any more lets none.
const PATIENCE: u32 = 400;
/// What every project is called.
const PROJECTS: [&str; 2] = ["ET", "OZ"];

/// A history under way.
pub(super) struct Play<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) store: LockstepStore,
    pub(super) record: Arc<Record>,
    mutation: Option<Mutation>,
    bell: Arc<Bell>,
    nodes: Vec<Node>,
    /// Agents and words that were given out, so that no two are alike.
    given_out: u32,
    /// Launches that were looked at.
    launches: usize,
    /// Since when something is missing on the machine.
    lacks_since: Option<Timestamp>,
    /// Calls took their time, or the clock jumped.
    is_slow: bool,
}

impl<'a> Play<'a> {
    /// Sets up the world of a plan.
    pub(super) async fn new(
        plan: &'a Plan,
        mutation: Option<Mutation>,
        record: Arc<Record>,
        bell: Arc<Bell>,
    ) -> Result<Self, StoreError> {
        let agent = AgentName::new("fake").expect("a name");
        let store = LockstepStore::new(Arc::clone(&record), caps_of(plan, agent), routes_of(plan))?;
        let world = World::of_seed(Arc::new(store.clone()), plan.seed);
        if let Some(mutation) = mutation {
            mutation.world(&world);
        }
        for route in routes_of(plan) {
            world.destinations.found(route.destination.as_str(), &route.events);
        }
        for key in PROJECTS.iter().take(plan.projects.into()) {
            let key = ProjectKey::new(*key).expect("a name");
            world.git.found(&key);
            let repository = format!("/people/{key}");
            store.save_project(&ProjectRecord { key: key.clone(), repository }).await?;
            world.sync(&key).await;
        }
        let nodes = (0..plan.nodes.max(1)).map(|_| Node::default()).collect();
        Ok(Self {
            plan,
            world,
            store,
            record,
            mutation,
            bell,
            nodes,
            given_out: 0,
            launches: 0,
            lacks_since: None,
            is_slow: false,
        })
    }

    /// Plays all acts.
    pub(super) async fn acts(&mut self) {
        self.start_nodes();
        for act in &self.plan.acts {
            if self.record.is_violated() {
                return;
            }
            self.record.say(self.now(), "plan", format!("{act:?}"));
            self.act(act).await;
            self.look_after_nodes();
        }
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Create { project, shape, start, human_gates, merge } => {
                self.create(*project, *shape, *start, *human_gates, *merge);
            }
            Act::Agent(conduct) => {
                let script = self.script(*conduct);
                self.world.sandbox.next_plays(script);
            }
            Act::Gate { gate, says } => self.instruct_gate(*gate, *says),
            Act::Person { pipeline, asks } => self.person(*pipeline, *asks),
            Act::Calls(calls) => self.calls(*calls).await,
            Act::Wait { seconds } => self.wait(Duration::from_secs((*seconds).into())).await,
            Act::Jump { seconds } => {
                self.is_slow = true;
                self.world.clock.advance(Duration::from_secs((*seconds).into()));
            }
            Act::Crash { node, after, seconds } => {
                if let Some(process) = self.process(*node) {
                    process.toll.crash_in(*after);
                }
                self.node(*node).absence = *seconds;
            }
            Act::Stop { node, leaves_agents, seconds } => {
                let mode =
                    if *leaves_agents { StopMode::LeaveAgents } else { StopMode::StopAgents };
                if let Some(process) = self.process(*node) {
                    process.tell_to_stop(mode);
                }
                self.node(*node).absence = *seconds;
            }
            Act::Suspend { node, seconds } => {
                self.is_slow = true;
                let until = self.after(*seconds);
                if let Some(process) = self.process(*node) {
                    process.toll.suspend(until);
                }
            }
            Act::Refuse { node, calls, because } => {
                let error = refusal(*because);
                if let Some(process) = self.process(*node) {
                    process.was_refused = true;
                    process.store.refuse(None, (*calls).into(), error);
                }
            }
            Act::Delay { node, calls, seconds } => {
                self.is_slow = true;
                if let Some(process) = self.process(*node) {
                    process.toll.delay(*calls, Duration::from_secs((*seconds).into()));
                }
            }
            Act::Commit { project, conflicts } => {
                self.given_out += 1;
                let own = format!("people-{}.txt", self.given_out);
                let path = if *conflicts { "shared.txt" } else { &own };
                let words = format!("by people, {}", self.given_out);
                self.world.git.people_commit(&self.project(*project), "main", path, &words);
            }
            Act::Push { pipeline } => self.push(*pipeline),
            Act::Repository { project, there } => {
                self.world.git.set_reachable(&self.project(*project), *there);
            }
            Act::Destination { destination, does, tries } => {
                self.instruct_destination(*destination, *does, *tries);
            }
            Act::Letter { back, asks } => self.ask_of_letter(*back, *asks),
            Act::Machine { lacks } => self.set_machine(*lacks),
            Act::LogIn => self.log_in(),
            Act::CrashAt { node, call, after, times, seconds } => {
                let side = if *after { Side::After } else { Side::Before };
                let doom = Doom { call: call.clone(), side, times: *times, seconds: *seconds };
                self.node(*node).doom(doom);
            }
            Act::Again { back } => self.again(*back).await,
        }
    }

    /// Lets so many calls pass. Where nobody makes any, time passes until somebody does.
    async fn calls(&mut self, calls: u16) {
        let goal = self.bell.count() + u64::from(calls);
        for _ in 0..PATIENCE {
            let rang = self.bell.listen(Some(goal)).await;
            if rang == Rang::Passed || self.record.is_violated() {
                return;
            }
            // Whoever has just been started has something to do before time passes.
            if !self.look_after_nodes() && !self.next_time(None) {
                return;
            }
        }
    }

    /// Lets time pass.
    pub(super) async fn wait(&mut self, time: Duration) {
        let end = self.now().checked_add(time).expect("histories end before the year 9999");
        loop {
            self.settle().await;
            if self.record.is_violated() || !self.next_time(Some(end)) || self.now() >= end {
                return;
            }
        }
    }

    /// Lets everything happen that needs no time.
    pub(super) async fn settle(&mut self) {
        loop {
            self.bell.listen(None).await;
            if self.record.is_violated() || !self.look_after_nodes() {
                return;
            }
        }
    }

    /// Moves the clock to when something happens next, at `end` at the latest. Says whether it moved.
    pub(super) fn next_time(&mut self, end: Option<Timestamp>) -> bool {
        let starts = self.nodes.iter().filter_map(|node| node.starts_at);
        let wakes = self.world.clock.next_sleeper().filter(|at| *at < Timestamp::MAX);
        let Some(at) = starts.chain(wakes).chain(end).min() else { return false };
        self.world.clock.advance_to(at);
        self.look_after_nodes();
        true
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn after(&self, seconds: u16) -> Timestamp {
        let later = self.now().checked_add(Duration::from_secs(seconds.into()));
        later.expect("histories end before the year 9999")
    }

    fn project(&self, number: u8) -> ProjectKey {
        let number = usize::from(number % self.plan.projects.max(1));
        ProjectKey::new(PROJECTS[number]).expect("a name")
    }

    pub(super) fn projects(&self) -> Vec<ProjectKey> {
        (0..self.plan.projects).map(|number| self.project(number)).collect()
    }
}
