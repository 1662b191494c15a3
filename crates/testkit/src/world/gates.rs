//! Gates that answer as they were told, and pass where nobody told them anything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use camino::Utf8Path;
use domain::{
    failure::speaks_of_a_full_disk,
    revision::CommitSha,
    verdict::{Finding, Verdict, VerdictOutcome},
};
use ports::{Clock as _, GateAnswer, GateError, GateQuestion, Gates, Git as _};
use tokio::sync::Notify;

use super::{Calls, FakeGit};
use crate::clock::ManualClock;

/// What a gate says of the next commit that it has not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It fails, with this finding.
    Fails(String),
    /// It cannot tell, for this reason.
    Errs(String),
    /// It asks a person this.
    Asks(String),
    /// It passes another commit than the one it was asked about.
    Mistakes(CommitSha),
    /// It cannot even begin, for this reason.
    Breaks(String),
}

#[derive(Debug, Default)]
struct Model {
    next: BTreeMap<String, VecDeque<Answer>>,
    held: BTreeSet<String>,
    /// The same commit gets the same answer. `None` is a pass.
    given: BTreeMap<(String, CommitSha), Option<Answer>>,
    asked: Vec<(String, CommitSha)>,
}

/// All gates.
#[derive(Debug)]
pub struct FakeGates {
    model: Arc<Mutex<Model>>,
    released: Arc<Notify>,
    git: Arc<FakeGit>,
    clock: Arc<ManualClock>,
    calls: Arc<Calls>,
}

impl FakeGates {
    pub(super) fn new(git: Arc<FakeGit>, clock: Arc<ManualClock>, calls: Arc<Calls>) -> Self {
        Self { model: Arc::default(), released: Arc::default(), git, clock, calls }
    }

    /// The same gates, as somebody else calls them.
    pub(super) fn called(&self, git: Arc<FakeGit>, calls: Arc<Calls>) -> Self {
        let (model, released) = (Arc::clone(&self.model), Arc::clone(&self.released));
        Self { model, released, git, clock: Arc::clone(&self.clock), calls }
    }

    /// A gate gives this answer about the next commit that it is shown for the first time.
    pub fn next_answer(&self, gate: &str, answer: Answer) {
        self.model().next.entry(gate.to_owned()).or_default().push_back(answer);
    }

    /// A gate keeps everybody waiting.
    pub fn hold(&self, gate: &str) {
        self.model().held.insert(gate.to_owned());
    }

    /// It answers again.
    pub fn release(&self, gate: &str) {
        self.model().held.remove(gate);
        self.released.notify_waiters();
    }

    /// Who was asked about what, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, CommitSha)> {
        self.model().asked.clone()
    }

    /// How often a gate was asked.
    #[must_use]
    pub fn times_asked(&self, gate: &str) -> usize {
        self.asked().iter().filter(|(name, _)| name == gate).count()
    }

    async fn answer(&self, question: &GateQuestion) -> Result<GateAnswer, GateError> {
        let name = question.gate.name.as_str();
        let started_at = self.clock.now();
        self.model().asked.push((name.to_owned(), question.commit.clone()));
        self.calls.tell();
        while self.model().held.contains(name) {
            self.released.notified().await;
        }
        let tree = self.git.load_tree(&question.project, &question.commit).await;
        let tree = tree.map_err(|error| GateError {
            gate: name.to_owned(),
            reason: error.to_string(),
            is_full_disk: error.is_full_disk(),
        })?;
        let answer = self.model().decide(name, &question.commit);
        let mut commit = question.commit.clone();
        let (outcome, findings) = match answer {
            Some(Answer::Asks(questions)) => return Ok(GateAnswer::Ask { questions }),
            Some(Answer::Breaks(reason)) => {
                let is_full_disk = speaks_of_a_full_disk(&reason);
                return Err(GateError { gate: name.to_owned(), reason, is_full_disk });
            }
            Some(Answer::Fails(finding)) => {
                (VerdictOutcome::Fail, vec![Finding::blocking(finding)])
            }
            Some(Answer::Errs(reason)) => (VerdictOutcome::Error, vec![Finding::blocking(reason)]),
            Some(Answer::Mistakes(other)) => {
                commit = other;
                (VerdictOutcome::Pass, Vec::new())
            }
            None => (VerdictOutcome::Pass, Vec::new()),
        };
        Ok(GateAnswer::Verdict(Verdict {
            gate: question.gate.name.clone(),
            commit,
            tree,
            outcome,
            summary: format!("gate `{name}`: {outcome}"),
            findings,
            started_at,
            finished_at: self.clock.now(),
            evidence: None,
        }))
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().expect("nobody panics while holding it")
    }
}

impl Model {
    fn decide(&mut self, gate: &str, commit: &CommitSha) -> Option<Answer> {
        let Self { next, given, .. } = self;
        let new = || next.get_mut(gate).and_then(VecDeque::pop_front);
        given.entry((gate.to_owned(), commit.clone())).or_insert_with(new).clone()
    }
}

#[async_trait]
impl Gates for FakeGates {
    async fn judge(&self, question: &GateQuestion) -> Result<GateAnswer, GateError> {
        self.calls.make("gates.judge", self.answer(question)).await
    }

    async fn abandon(&self, _scratch: &Utf8Path) -> Result<(), GateError> {
        self.calls.make("gates.abandon", async { Ok(()) }).await
    }
}
