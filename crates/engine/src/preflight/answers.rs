//! What was found lately, and what it keeps in the queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    limits::{PREFLIGHT_RENEWAL, PREFLIGHT_TTL, PREFLIGHT_TTL_FAILED},
    name::AgentName,
};
use jiff::{SignedDuration, Timestamp};
use ports::Held;

use super::lack::Lack;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// Everything that starts a process.
    Processes,
    /// One agent.
    Agent(AgentName),
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) at: Timestamp,
    pub(super) problem: Option<String>,
}

/// What was found lately.
#[derive(Debug, Default)]
pub(crate) struct Preflight {
    pub(super) looks: BTreeMap<Subject, Look>,
    /// What was said of each subject whose problem lasts, and when.
    pub(super) said: BTreeMap<Subject, Look>,
    /// What takes most of a disk that is full, in words, and when that was looked at.
    pub(super) most: Option<(Timestamp, String)>,
}

impl Look {
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let ttl = if self.problem.is_some() { PREFLIGHT_TTL_FAILED } else { PREFLIGHT_TTL };
        is_younger(self.at, ttl, now)
    }

    /// Whether it has counted for so long that the next one should come before it counts no more: nobody waits then.
    fn is_to_be_renewed(&self, now: Timestamp) -> bool {
        self.problem.is_none() && !is_younger(self.at, PREFLIGHT_RENEWAL, now)
    }
}

/// Whether something of then is younger than that. A clock that was set back makes it old as well: nobody knows its age.
pub(super) fn is_younger(at: Timestamp, than: Duration, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    age >= SignedDuration::ZERO && Duration::try_from(age).is_ok_and(|age| age < than)
}

impl Preflight {
    /// What has to be looked at again: the machine always, and agents that were not well. No job of theirs starts any
    /// more, which would look at them.
    pub(super) fn stale(&self, now: Timestamp) -> Vec<Subject> {
        let failed = self.looks.iter().filter(|(_, look)| look.problem.is_some());
        let again = failed.map(|(subject, _)| subject.clone());
        let subjects: BTreeSet<Subject> = again.chain([Subject::Processes]).collect();
        let is_new = |look: &Look| look.is_fresh(now) && !look.is_to_be_renewed(now);
        let is_known = |subject: &Subject| self.looks.get(subject).is_some_and(is_new);
        subjects.into_iter().filter(|subject| !is_known(subject)).collect()
    }

    pub(super) fn lacks(&self) -> Vec<Lack> {
        let lack =
            |(subject, look): (&Subject, &Look)| Some(Lack::of(subject, look.problem.as_deref()?));
        self.looks.iter().filter_map(lack).collect()
    }

    /// What the last answers keep in the queue. Where there is none that still counts, nobody knows whether anything can
    /// work.
    pub(crate) fn held(&self, now: Timestamp) -> Held {
        let is_known = self.looks.get(&Subject::Processes).is_some_and(|look| look.is_fresh(now));
        let mut held = Held { processes: !is_known, ..Held::default() };
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
