//! Looks whether things can work before jobs are given out: room on the machine, the sandbox, the agents.
//!
//! What was found counts for a while, so that it costs nothing where much is started. What cannot work leaves its jobs
//! in the queue, spends nothing, and is said: to whoever watches, and in a file that other processes read.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    limits::{DISK_BYTES_MIN, MEMORY_BYTES_MIN, PREFLIGHT_TTL, PREFLIGHT_TTL_FAILED},
    name::AgentName,
};
use jiff::{SignedDuration, Timestamp};
use ports::Held;

use crate::{AgentSetup, Engine, Progress, worker::chain};

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// Everything that starts a process.
    Processes,
    /// One agent.
    Agent(AgentName),
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    at: Timestamp,
    problem: Option<String>,
}

/// What was found lately.
#[derive(Debug, Default)]
pub(crate) struct Preflight {
    looks: BTreeMap<Subject, Look>,
    /// What the file says; `None` until this process has written it.
    told: Option<Vec<String>>,
}

impl Look {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let ttl = if self.problem.is_some() { PREFLIGHT_TTL_FAILED } else { PREFLIGHT_TTL };
        let age = Duration::try_from(now.duration_since(self.at)).unwrap_or(Duration::ZERO);
        // A clock that was set back makes it old as well: nobody knows its age.
        age < ttl && now.duration_since(self.at) >= SignedDuration::ZERO
    }
}

impl Preflight {
    fn problems(&self) -> Vec<String> {
        self.looks.values().filter_map(|look| look.problem.clone()).collect()
    }

    fn held(&self) -> Held {
        let mut held = Held::default();
        for (subject, _) in self.looks.iter().filter(|(_, look)| look.problem.is_some()) {
            match subject {
                Subject::Processes => held.processes = true,
                Subject::Agent(name) => {
                    held.agents.insert(name.clone());
                }
            }
        }
        held
    }
}

impl Engine {
    /// What must stay in the queue for now. Agents that were well are looked at when one of their jobs starts, so that
    /// nobody else waits for that; those that were not are looked at here, or no job of theirs would ever start.
    pub(crate) async fn look_before_claim(&self) -> Held {
        let now = self.ports.clock.now();
        let stale: Vec<Subject> = {
            let preflight = self.preflight.lock().expect("no holder panics");
            let is_fresh = |subject: &Subject| {
                preflight.looks.get(subject).is_some_and(|look| look.is_fresh(now))
            };
            let failed = preflight.looks.iter().filter(|(_, look)| look.problem.is_some());
            let again = failed.map(|(subject, _)| subject.clone());
            let subjects: BTreeSet<Subject> = again.chain([Subject::Processes]).collect();
            subjects.into_iter().filter(|subject| !is_fresh(subject)).collect()
        };
        for subject in stale {
            let problem = match &subject {
                Subject::Processes => self.problem_of_machine().await,
                Subject::Agent(name) => match self.options.agents.get(name) {
                    Some(setup) => self.problem_of_agent(setup).await,
                    None => None,
                },
            };
            self.note(subject, problem).await;
        }
        self.preflight.lock().expect("no holder panics").held()
    }

    /// Whether anything is held back for what was found.
    pub(crate) fn holds_back(&self) -> bool {
        self.preflight.lock().expect("no holder panics").held() != Held::default()
    }

    /// Why an agent cannot be started, where a job of it is about to.
    pub(crate) async fn look_at_agent(&self, setup: &AgentSetup) -> Option<String> {
        let subject = Subject::Agent(setup.profile.name.clone());
        let now = self.ports.clock.now();
        let known = self.preflight.lock().expect("no holder panics").looks.get(&subject).cloned();
        if let Some(look) = known.filter(|look| look.is_fresh(now)) {
            return look.problem;
        }
        let problem = self.problem_of_agent(setup).await;
        self.note(subject, problem.clone()).await;
        problem
    }

    async fn problem_of_agent(&self, setup: &AgentSetup) -> Option<String> {
        let AgentSetup { profile, kind, .. } = setup;
        let answer = self.ports.machine.check_agent(kind.as_ref(), profile, &self.options.path);
        answer.await.err().map(|error| chain(&error))
    }

    async fn problem_of_machine(&self) -> Option<String> {
        const MIB: u64 = 1024 * 1024;
        let dir = self.layout.data_dir();
        let room = match self.ports.machine.room(dir).await {
            Ok(room) => room,
            Err(error) => {
                return Some(format!("the data directory {dir} cannot be reached: {error}"));
            }
        };
        if room.disk_bytes < DISK_BYTES_MIN {
            let (free, min) = (room.disk_bytes / MIB, DISK_BYTES_MIN / MIB);
            return Some(format!(
                "the disk of {dir} has {free} MiB free, and {min} MiB are needed to start anything: free some space"
            ));
        }
        if let Some(bytes) = room.memory_bytes.filter(|bytes| *bytes < MEMORY_BYTES_MIN) {
            let (free, min) = (bytes / MIB, MEMORY_BYTES_MIN / MIB);
            return Some(format!(
                "the machine has {free} MiB of memory free, and {min} MiB are needed to start anything: end something else, or lower max_concurrency"
            ));
        }
        let sandbox = self.ports.sandbox.check().await;
        sandbox.err().map(|error| format!("the sandbox does not answer: {}", chain(&error)))
    }

    /// Remembers what a look found, and says what is new.
    async fn note(&self, subject: Subject, problem: Option<String>) {
        let at = self.ports.clock.now();
        let (before, now) = {
            let mut preflight = self.preflight.lock().expect("no holder panics");
            preflight.looks.insert(subject, Look { at, problem });
            let now = preflight.problems();
            (preflight.told.replace(now.clone()), now)
        };
        if before.as_ref() == Some(&now) {
            return;
        }
        let before = before.unwrap_or_default();
        for problem in now.iter().filter(|problem| !before.contains(problem)) {
            tracing::warn!("jobs wait: {problem}");
            self.say(Progress::HeldBack { problem: problem.clone() });
        }
        let lines: Vec<String> = now.iter().map(|problem| one_line(problem)).collect();
        let text = lines.join("\n");
        if let Err(error) = self.ports.files.write(&self.layout.held(), text.as_bytes()).await {
            // On a disk that is full this very file may not be written; watchers and the log were told.
            tracing::warn!("could not write down what jobs wait for: {error}");
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
