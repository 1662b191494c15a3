//! What each event does to the attempt under way.

use std::collections::BTreeSet;

use domain::{
    name::{RoleName, StageName},
    pipeline::{AttemptState, Event, EventKind},
    revision::CommitSha,
    verdict::{Finding, VerdictOutcome},
};
use jiff::Timestamp;

use super::{GateAnswerView, StageView};
use crate::{FindingView, millis_between};

/// The attempts so far, and what is known of the one under way.
#[derive(Default)]
pub(super) struct Fold {
    pub(super) attempts: Vec<StageView>,
    /// The last attempt has not ended.
    open: bool,
    /// Roles of the wave that are still at work.
    working: u32,
    /// What the wave handed in.
    handed_in: BTreeSet<CommitSha>,
    /// A person has settled what the attempt waited for, and nothing came of it yet.
    settled_by: Option<String>,
}

impl Fold {
    pub(super) fn add(&mut self, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::StageEntered { stage, attempt } => {
                // Whatever was under way has been left without a word of its own.
                if let Some(person) = self.settled_by.take() {
                    self.send_back(at, stage, &person, &[]);
                }
                self.end(at, AttemptState::Skipped);
                self.begin(at, stage, *attempt);
            }
            EventKind::AgentsRequested { roles, .. } => self.agents_requested(roles),
            EventKind::AgentFinished { head, .. } => self.agent_finished(head.as_ref()),
            EventKind::Joined { .. } | EventKind::Integrated { .. } => {
                self.is_now(AttemptState::Gating);
            }
            EventKind::TargetMoved { .. } => self.is_now(AttemptState::Running),
            EventKind::GateJudged { gate, outcome, summary, .. } => {
                if matches!(outcome, VerdictOutcome::Pass | VerdictOutcome::Waived) {
                    self.settled_by = None;
                }
                self.is_now(AttemptState::Gating);
                if let Some(attempt) = self.current() {
                    let (gate, summary) = (gate.clone(), summary.clone());
                    attempt.gates.push(GateAnswerView { gate, outcome: *outcome, summary });
                }
            }
            EventKind::SentBack { to, by, findings, .. } => self.send_back(at, to, by, findings),
            EventKind::StagePassed { .. } => self.end(at, AttemptState::Passed),
            EventKind::DecisionOpened { .. } | EventKind::Blocked { .. } => {
                self.is_now(AttemptState::AwaitingHuman);
            }
            EventKind::DecisionResolved { .. } => {
                self.settled_by = Some(event.actor.to_string());
                self.is_now(AttemptState::Gating);
            }
            EventKind::Restarted { .. } | EventKind::Cancelled { .. } => {
                self.end(at, AttemptState::Skipped);
            }
            EventKind::Failed { .. } => self.end(at, AttemptState::Failed),
            EventKind::Started
            | EventKind::Opened { .. }
            | EventKind::JobRetried { .. }
            | EventKind::BreakerOpened { .. }
            | EventKind::JobFailed { .. }
            | EventKind::MergedBefore { .. }
            | EventKind::DecisionWithdrawn { .. }
            | EventKind::Stranded { .. }
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::Succeeded { .. }
            | EventKind::CleanedUp
            | EventKind::LetterDied { .. }
            | EventKind::LetterRetried { .. }
            | EventKind::LetterDropped { .. } => {}
        }
    }

    fn begin(&mut self, at: Timestamp, stage: &StageName, number: u32) {
        self.open = true;
        self.working = 0;
        self.handed_in.clear();
        self.attempts.push(StageView {
            stage: stage.clone(),
            attempt: number,
            state: AttemptState::Running,
            started_at: at,
            ended_at: None,
            duration_ms: None,
            roles: Vec::new(),
            gates: Vec::new(),
            sent_back_to: None,
            sent_back_by: None,
            findings: Vec::new(),
        });
    }

    fn agents_requested(&mut self, roles: &[RoleName]) {
        self.working = u32::try_from(roles.len()).unwrap_or(u32::MAX);
        self.handed_in.clear();
        self.is_now(AttemptState::Running);
        let Some(attempt) = self.current() else { return };
        for role in roles {
            if !attempt.roles.contains(role) {
                attempt.roles.push(role.clone());
            }
        }
    }

    fn agent_finished(&mut self, head: Option<&CommitSha>) {
        self.working = self.working.saturating_sub(1);
        self.handed_in.extend(head.cloned());
        // Several hand-ins have to become one first.
        if self.working == 0 && self.handed_in.len() <= 1 {
            self.is_now(AttemptState::Gating);
        }
    }

    fn send_back(&mut self, at: Timestamp, to: &StageName, by: &str, findings: &[Finding]) {
        if let Some(attempt) = self.current() {
            attempt.sent_back_to = Some(to.clone());
            attempt.sent_back_by = Some(by.to_owned());
            attempt.findings = findings.iter().map(FindingView::from).collect();
        }
        self.end(at, AttemptState::SentBack);
    }

    fn end(&mut self, at: Timestamp, state: AttemptState) {
        if let Some(attempt) = self.current() {
            attempt.state = state;
            attempt.ended_at = Some(at);
            attempt.duration_ms = Some(millis_between(attempt.started_at, at));
        }
        self.open = false;
        self.settled_by = None;
    }

    fn is_now(&mut self, state: AttemptState) {
        if let Some(attempt) = self.current() {
            attempt.state = state;
        }
    }

    /// The attempt under way; none before the first and after the last one.
    fn current(&mut self) -> Option<&mut StageView> {
        self.attempts.last_mut().filter(|_| self.open)
    }
}
