//! Orchestrators that come and go.

use std::{sync::Arc, time::Duration};

use domain::breaker::{Breaker, BreakerState};
use engine::AtRest;
use jiff::Timestamp;
use ports::StoreError;

use super::Play;
use crate::{
    simulation::{
        dice::Dice,
        plan::{Lack, Refusal},
        process::Process,
        toll::ProcessToll,
    },
    world::Side,
};

/// Mixed into a history's seed for the order of events.
const SCHEDULING: u64 = 0x006f_7264_6572;

/// One orchestrator after the other, on the same machine.
#[derive(Default)]
pub(super) struct Node {
    pub(super) process: Option<Process>,
    /// When it is started again.
    pub(super) starts_at: Option<Timestamp>,
    /// How long it is gone when it ends the next time.
    pub(super) absence: u16,
    /// What it dies at, again and again.
    doom: Option<Doom>,
    /// How many there were.
    generation: u32,
}

/// A call that a node does not survive.
pub(super) struct Doom {
    pub(super) call: String,
    pub(super) side: Side,
    pub(super) times: u8,
    pub(super) seconds: u16,
}

impl Node {
    /// The process that is there dies at that call, and so do those that follow.
    pub(super) fn doom(&mut self, doom: Doom) {
        self.doom = Some(doom);
        self.hand_on_doom();
    }

    fn hand_on_doom(&mut self) {
        let (Some(doom), Some(process)) = (&mut self.doom, &self.process) else { return };
        if let Some(left) = doom.times.checked_sub(1) {
            doom.times = left;
            process.toll.crash_at(&doom.call, doom.side);
            self.absence = doom.seconds;
        }
    }
}

impl Play<'_> {
    pub(super) fn node(&mut self, number: u8) -> &mut Node {
        let number = usize::from(number) % self.nodes.len();
        &mut self.nodes[number]
    }

    pub(super) fn process(&mut self, node: u8) -> Option<&mut Process> {
        self.node(node).process.as_mut()
    }

    /// Has everything started that is not there. Says whether anything was missing.
    pub(in crate::simulation) fn start_nodes(&mut self) -> bool {
        let now = self.now();
        let mut any = false;
        for node in self.nodes.iter_mut().filter(|node| node.process.is_none()) {
            any |= node.starts_at.is_none_or(|at| at > now);
            node.starts_at = Some(now);
        }
        any
    }

    /// Buries what has died, and starts what is to start. Says whether anything was started.
    pub(super) fn look_after_nodes(&mut self) -> bool {
        let mut any = false;
        for number in 0..self.nodes.len() {
            self.bury(number);
            let due = self.nodes[number].starts_at.is_some_and(|at| at <= self.now());
            if due {
                self.nodes[number].starts_at = None;
                let at_rest = if self.plan.returns { AtRest::Return } else { AtRest::Wait };
                self.process_of(number).work(at_rest);
                any = true;
            }
        }
        self.look_at_launches();
        any
    }

    /// People log in where an agent waits for them.
    pub(in crate::simulation) fn log_in(&mut self) {
        let waits = self.store.pair.model.look(|model| {
            let open = |breaker: &Breaker| matches!(&breaker.state, BreakerState::Open { hold } if hold.until.is_none());
            model.breakers.values().any(open)
        });
        if waits {
            let process = self.people_talk_to();
            let engine = Arc::clone(&process.engine);
            process.does(async move {
                // Whoever cannot be told is asked again.
                let _told = engine.resume_what_waits_for_a_person().await;
            });
        }
    }

    fn bury(&mut self, number: usize) {
        let now = self.now();
        let node = &mut self.nodes[number];
        let Some(process) = &mut node.process else { return };
        if let Some(panic) = process.panicked() {
            self.record.violate("nothing panics", panic);
        }
        let starts_at = if process.toll.is_dead() {
            Some(node.absence)
        } else {
            match process.ended() {
                None => return,
                Some(Ok(())) => process.is_told_to_stop().then_some(node.absence),
                Some(Err(error)) => {
                    self.record.say(now, &process.name, format!("ends with {error:?}"));
                    if !process.was_refused {
                        self.record.violate("an engine ends well", format!("{error:?}"));
                    }
                    Some(1)
                }
            }
        };
        let later = |seconds: u16| now.saturating_add(Duration::from_secs(seconds.into()));
        node.starts_at = starts_at.map(|seconds| later(seconds).unwrap_or(now));
        node.absence = 0;
        node.process = None;
    }

    /// The process of a node; a new one where there is none, which does not work by itself.
    fn process_of(&mut self, number: usize) -> &mut Process {
        let node = &mut self.nodes[number];
        let (plan, world, store, record, bell) =
            (self.plan, &self.world, &self.store, &self.record, &self.bell);
        let mutation = self.mutation;
        if node.process.is_none() {
            node.generation += 1;
            let name = format!("node-{number}.{}", node.generation);
            let salt = number as u64 * 1_000 + u64::from(node.generation);
            let dice = Dice::of(plan.seed ^ SCHEDULING ^ salt);
            let (clock, bell) = (Arc::clone(&world.clock), Arc::clone(bell));
            let toll = ProcessToll::new(&name, clock, Arc::clone(record), bell, dice);
            let toll = Arc::new(toll);
            let process =
                Process::new(&name, plan, world, store, mutation, toll, Arc::clone(record));
            node.process = Some(process);
            node.hand_on_doom();
        }
        node.process.as_mut().expect("there is one now")
    }

    /// The process that people talk to, at work unless its node is gone for a while.
    pub(super) fn people_talk_to(&mut self) -> &mut Process {
        let at_rest = if self.plan.returns { AtRest::Return } else { AtRest::Wait };
        let number = self.given_out as usize % self.nodes.len();
        let works = self.nodes[number].starts_at.is_none();
        let process = self.process_of(number);
        if works {
            process.work(at_rest);
        }
        process
    }

    /// Nothing goes wrong any more, and everybody is there.
    pub(in crate::simulation) fn calm(&mut self) {
        for project in self.projects() {
            self.world.git.set_reachable(&project, true);
        }
        self.calm_destinations();
        self.set_machine(Lack::Nothing);
        for node in &mut self.nodes {
            node.doom = None;
            if let Some(process) = &mut node.process {
                process.toll.calm();
                process.store.refuse(None, 0, refusal(Refusal::Overloaded));
            }
        }
    }

    /// Whether a process that was suspended or is slow has something to do yet that it began before.
    pub(in crate::simulation) fn is_anybody_late(&self) -> bool {
        let mut processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        processes.any(|process| process.toll.is_late())
    }

    /// Stops every node.
    pub(in crate::simulation) fn end(&mut self) {
        self.nodes.clear();
    }
}

pub(super) fn refusal(because: Refusal) -> fn() -> StoreError {
    match because {
        Refusal::DiskFull => || StoreError::DiskFull { operation: "save" },
        Refusal::Overloaded => || StoreError::Overloaded { waiting: 7 },
        Refusal::Broken => {
            || StoreError::Database { operation: "save", source: "the database is unwell".into() }
        }
    }
}
