//! Judging an attempt, gate by gate.

use super::{
    Draft, Refusal,
    draft::{Question, feedback, first_words},
};
use crate::{
    brief::Feedback,
    decision::{Choice, DecisionKind},
    definition::{Check, Gate, Route, Stage, Then},
    job::Work,
    name::GateName,
    pipeline::{
        Block, Effect, EventKind, InputTag, PipelineFailure, PipelineState, StageAttempt, Step,
    },
    revision::CommitSha,
    verdict::{Finding, Verdict, VerdictOutcome},
};

impl<'a> Draft<'a> {
    /// The round that gate jobs of this attempt carry: a new merge candidate is judged anew.
    pub(super) fn gate_round(attempt: &StageAttempt) -> u32 {
        attempt.candidate.as_ref().map_or(0, |candidate| candidate.round)
    }

    /// The gate that the attempt is at.
    pub(super) fn gate_of(&self, attempt: &StageAttempt) -> Result<&'a Gate, Refusal> {
        let Step::Gating { gate, .. } = attempt.step else {
            return Err(Refusal::Inconsistent { what: "no gate is being asked".to_owned() });
        };
        let stage = self.stage(&attempt.stage)?;
        stage.gates.get(gate as usize).ok_or_else(|| Refusal::Inconsistent {
            what: format!("stage `{}` has no gate {gate}", stage.name),
        })
    }

    /// Asks the gates from `index` on: a program, a person, or nobody is left to ask.
    pub(super) fn judge_from(
        &mut self,
        mut attempt: StageAttempt,
        stage: &Stage,
        index: u32,
    ) -> Result<(), Refusal> {
        let commit = match &attempt.candidate {
            Some(candidate) => candidate.commit.clone(),
            None => self.head()?,
        };
        let Some(gate) = stage.gates.get(index as usize) else {
            return self.gates_passed(attempt, stage);
        };
        attempt.step = Step::Gating { gate: index, commit: commit.clone() };
        match &gate.check {
            Check::Approval { .. } if !self.pipeline.options.human_gates => {
                self.event(EventKind::GateJudged {
                    stage: stage.name.clone(),
                    gate: gate.name.clone(),
                    commit,
                    outcome: VerdictOutcome::Waived,
                    summary: "waived: this pipeline was started without human gates".to_owned(),
                });
                self.judge_from(attempt, stage, index + 1)
            }
            Check::Approval { question, show } => {
                let item = self.pipeline.item.key.to_string();
                let decision = self.ask(Question {
                    kind: DecisionKind::Approval,
                    text: question.replace("{item}", &item),
                    findings: Vec::new(),
                    show: show.iter().map(|path| path.replace("{item}", &item)).collect(),
                    commit: Some(commit),
                    options: vec![Choice::Approve, Choice::Reject],
                });
                self.pipeline.state = PipelineState::AwaitingHuman { attempt, decision };
                Ok(())
            }
            Check::Artifacts { .. }
            | Check::Absent { .. }
            | Check::Questions { .. }
            | Check::Command { .. }
            | Check::Verdict { .. }
            | Check::Report { .. } => {
                let exclusive = attempt.candidate.is_some();
                self.enqueue(
                    &attempt,
                    Self::gate_round(&attempt),
                    Work::Gate { gate: gate.name.clone() },
                    Some(commit),
                    exclusive,
                );
                self.run(attempt);
                Ok(())
            }
        }
    }

    /// A gate has answered.
    pub(super) fn judged(
        &mut self,
        attempt: StageAttempt,
        verdict: &Verdict,
    ) -> Result<(), Refusal> {
        let Step::Gating { gate: index, commit } = attempt.step.clone() else {
            return Err(Refusal::Stale { input: InputTag::JobDone });
        };
        let gate = self.gate_of(&attempt)?;
        if verdict.gate != gate.name || verdict.commit != commit {
            return Err(Refusal::Stale { input: InputTag::JobDone });
        }
        let stage = self.stage(&attempt.stage)?;
        self.keep_verdict(&attempt, verdict.clone());
        match verdict.outcome {
            VerdictOutcome::Pass | VerdictOutcome::Waived => {
                self.judge_from(attempt, stage, index + 1)
            }
            VerdictOutcome::Fail => self.gate_failed(attempt, stage, gate, verdict),
            VerdictOutcome::Error => {
                self.block(
                    attempt,
                    Block::GateError { gate: gate.name.clone(), message: verdict.summary.clone() },
                );
                Ok(())
            }
        }
    }

    pub(super) fn keep_verdict(&mut self, attempt: &StageAttempt, verdict: Verdict) {
        self.event(EventKind::GateJudged {
            stage: attempt.stage.clone(),
            gate: verdict.gate.clone(),
            commit: verdict.commit.clone(),
            outcome: verdict.outcome,
            summary: verdict.summary.clone(),
        });
        self.effect(Effect::StoreVerdict(verdict));
    }

    fn gate_failed(
        &mut self,
        attempt: StageAttempt,
        stage: &Stage,
        gate: &Gate,
        verdict: &Verdict,
    ) -> Result<(), Refusal> {
        let mut findings: Vec<Finding> = verdict.findings.clone();
        if findings.is_empty() {
            findings.push(Finding::blocking(verdict.summary.clone()));
        }
        let commit =
            if attempt.candidate.is_some() { self.head()? } else { verdict.commit.clone() };
        self.take_route(
            attempt,
            stage,
            gate.on_fail.as_ref().or(stage.on_fail.as_ref()),
            &gate.name,
            findings,
            commit,
        )
    }

    /// Sends the work along a route, as often as it allows.
    pub(super) fn take_route(
        &mut self,
        attempt: StageAttempt,
        stage: &Stage,
        route: Option<&Route>,
        gate: &GateName,
        findings: Vec<Finding>,
        commit: CommitSha,
    ) -> Result<(), Refusal> {
        self.pipeline.seen.insert(stage.name.clone(), commit);
        let feedback = feedback(&format!("gate `{gate}` of stage `{}`", stage.name), findings);
        let Some(route) = route else {
            self.block(
                attempt,
                Block::GateFailed { gate: gate.clone(), to: stage.name.clone(), feedback },
            );
            return Ok(());
        };
        let Some(count) = self.count_route(&edge(stage, route), route.max) else {
            match route.then {
                Then::Escalate => self.block(
                    attempt,
                    Block::GateFailed { gate: gate.clone(), to: route.to.clone(), feedback },
                ),
                Then::Fail => self.fail(stage, gate, &feedback),
            }
            return Ok(());
        };
        self.event(EventKind::SentBack {
            from: stage.name.clone(),
            to: route.to.clone(),
            by: gate.to_string(),
            count,
            max: Some(route.max),
            findings: feedback.findings.clone(),
        });
        self.leave_merge(&attempt);
        self.enter(&route.to.clone(), feedback)
    }

    fn fail(&mut self, stage: &Stage, gate: &GateName, feedback: &Feedback) {
        let message = first_words(feedback);
        self.event(EventKind::Failed {
            stage: stage.name.clone(),
            reason: format!("gate `{gate}` failed again: {message}"),
        });
        let failure = PipelineFailure::RouteSpent { gate: gate.clone(), message };
        self.end(PipelineState::Failed { stage: stage.name.clone(), failure });
    }
}

/// How a route is counted: per pipeline and edge.
fn edge(stage: &Stage, route: &Route) -> String {
    format!("{}->{}", stage.name, route.to)
}
