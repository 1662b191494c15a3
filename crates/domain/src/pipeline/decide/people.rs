//! What people decide.

use super::{
    Draft, Refusal,
    draft::{feedback, options, with_comment},
    landing,
};
use crate::{
    brief::Feedback,
    decision::Choice,
    definition::{Check, Stage},
    id::DecisionId,
    name::StageName,
    pipeline::{Block, EventKind, InputTag, PipelineState, StageAttempt, Step},
    verdict::{Finding, VerdictOutcome},
};

/// Refuses a choice that is not offered, and one that needs words but has none.
fn check(choice: Choice, comment: &str, options: &[Choice]) -> Result<(), Refusal> {
    if !options.contains(&choice) {
        return Err(Refusal::NotOffered { choice, options: options.to_vec() });
    }
    if choice.needs_comment() && comment.trim().is_empty() {
        return Err(Refusal::CommentMissing { choice });
    }
    Ok(())
}

impl Draft<'_> {
    /// An approval or an answer to an agent's questions.
    pub(super) fn gate_answered(
        &mut self,
        attempt: &StageAttempt,
        id: DecisionId,
        choice: Choice,
        comment: &str,
    ) -> Result<(), Refusal> {
        let (stage, gate) = (self.stage(&attempt.stage)?, self.gate_of(attempt)?);
        let Step::Gating { gate: index, commit } = attempt.step.clone() else {
            return Err(Refusal::Inconsistent {
                what: "a person was asked outside of a gate".to_owned(),
            });
        };
        let by = self.context.by.clone();
        if let Check::Approval { .. } = gate.check {
            check(choice, comment, &[Choice::Approve, Choice::Reject])?;
            self.resolve(id, choice, comment);
            let approved = choice == Choice::Approve;
            self.event(EventKind::GateJudged {
                stage: stage.name.clone(),
                gate: gate.name.clone(),
                commit: commit.clone(),
                outcome: if approved { VerdictOutcome::Pass } else { VerdictOutcome::Fail },
                summary: match (approved, comment.trim()) {
                    (true, "") => format!("approved by {by}"),
                    (true, words) => format!("approved by {by}: {words}"),
                    (false, words) => format!("rejected by {by}: {words}"),
                },
            });
            if approved {
                return self.judge_from(attempt.clone(), stage, index + 1);
            }
            let route = gate.on_fail.as_ref().or(stage.on_fail.as_ref());
            let to = route.map_or_else(|| stage.name.clone(), |route| route.to.clone());
            let feedback = feedback(&by, vec![Finding::blocking(comment)]);
            self.pipeline.seen.insert(stage.name.clone(), commit);
            // A person's word is not counted against the route: people know what they do.
            self.event(EventKind::SentBack {
                from: stage.name.clone(),
                to: to.clone(),
                by,
                count: 1,
                max: None,
                findings: feedback.findings.clone(),
            });
            self.leave_merge(attempt);
            return self.enter(&to, feedback);
        }
        check(choice, comment, &[Choice::Answer, Choice::Cancel])?;
        self.resolve(id, choice, comment);
        if choice == Choice::Cancel {
            self.give_up(comment);
            return Ok(());
        }
        let feedback = with_comment(attempt.feedback.clone(), "your questions", comment, &by);
        self.enter(&stage.name, feedback)
    }

    /// A person settles what blocked the pipeline.
    pub(super) fn block_answered(
        &mut self,
        state: &PipelineState,
        attempt: &StageAttempt,
        id: DecisionId,
        block: &Block,
        choice: Choice,
        comment: &str,
    ) -> Result<(), Refusal> {
        check(choice, comment, &options(block, attempt))?;
        match choice {
            Choice::Cancel => {
                self.resolve(id, choice, comment);
                self.give_up(comment);
                Ok(())
            }
            Choice::Waive => {
                self.resolve(id, choice, comment);
                self.waive(attempt, block, comment)
            }
            Choice::Retry | Choice::Continue | Choice::Answer => {
                self.resolve(id, choice, comment);
                self.go_on(attempt, block, comment)
            }
            Choice::Approve | Choice::Reject => {
                Err(Refusal::NotAllowed { state: state.into(), input: InputTag::Resolve })
            }
        }
    }

    /// `retry` without naming the question.
    pub(super) fn retry_block(
        &mut self,
        attempt: &StageAttempt,
        id: DecisionId,
        block: &Block,
        comment: &str,
    ) -> Result<(), Refusal> {
        let choice = options(block, attempt)[0];
        check(choice, comment, &options(block, attempt))?;
        self.resolve(id, choice, comment);
        self.go_on(attempt, block, comment)
    }

    /// Does what blocked once more, with fresh budgets.
    fn go_on(
        &mut self,
        attempt: &StageAttempt,
        block: &Block,
        comment: &str,
    ) -> Result<(), Refusal> {
        let by = self.context.by.clone();
        let stage = self.stage(&attempt.stage)?;
        self.fresh_budgets(&stage.name);
        match block {
            Block::GateFailed { to, feedback, .. } => {
                self.enter(to, with_comment(feedback.clone(), "how to go on", comment, &by))
            }
            Block::HandIn { feedback, .. } => self
                .enter(&stage.name, with_comment(feedback.clone(), "how to go on", comment, &by)),
            Block::Questions { questions } => self.enter(
                &stage.name,
                with_comment(attempt.feedback.clone(), questions, comment, &by),
            ),
            Block::GateError { .. } => {
                let Step::Gating { gate, .. } = attempt.step else {
                    return Err(Refusal::Inconsistent {
                        what: "a gate could not answer although none was asked".to_owned(),
                    });
                };
                self.judge_from(attempt.clone(), stage, gate)
            }
            Block::JobFailed { .. } if matches!(attempt.step, Step::Opening) => {
                self.reopen();
                Ok(())
            }
            Block::JobFailed { .. } if landing(attempt) => self.land(attempt.clone()),
            Block::JobFailed { .. } => self.enter(
                &stage.name,
                with_comment(attempt.feedback.clone(), "how to go on", comment, &by),
            ),
            Block::Limit { .. } => {
                self.pipeline.limit_grants += 1;
                self.go_on_where_it_was(attempt, stage, comment)
            }
            Block::Stranded => self.go_on_where_it_was(attempt, stage, comment),
        }
    }

    /// Goes on with what the attempt was doing, as far as that can be taken up.
    fn go_on_where_it_was(
        &mut self,
        attempt: &StageAttempt,
        stage: &Stage,
        comment: &str,
    ) -> Result<(), Refusal> {
        match &attempt.step {
            Step::Opening => {
                self.reopen();
                Ok(())
            }
            // What agents have handed in stays: nobody pays for it twice.
            Step::Gating { gate, .. } => self.judge_from(attempt.clone(), stage, *gate),
            Step::Landing { .. } => self.land(attempt.clone()),
            Step::Working { wave, roles } if roles.iter().all(|it| it.head.is_none()) => {
                self.start_wave(attempt.clone(), stage, *wave)
            }
            Step::Working { .. }
            | Step::Joining { .. }
            | Step::Acting
            | Step::Integrating { .. } => {
                let by = &self.context.by;
                let feedback = with_comment(attempt.feedback.clone(), "how to go on", comment, by);
                self.enter(&stage.name, feedback)
            }
        }
    }

    /// Goes on past a gate, on a person's responsibility.
    fn waive(
        &mut self,
        attempt: &StageAttempt,
        block: &Block,
        comment: &str,
    ) -> Result<(), Refusal> {
        let (Block::GateFailed { .. } | Block::GateError { .. }) = block else {
            return Err(Refusal::Inconsistent { what: "there is no gate to waive".to_owned() });
        };
        let Step::Gating { gate: index, commit } = &attempt.step else {
            // A merge conflict: no commit exists that could be let through.
            return Err(Refusal::NotOffered {
                choice: Choice::Waive,
                options: vec![Choice::Retry, Choice::Cancel],
            });
        };
        let (stage, gate) = (self.stage(&attempt.stage)?, self.gate_of(attempt)?);
        self.event(EventKind::GateJudged {
            stage: stage.name.clone(),
            gate: gate.name.clone(),
            commit: commit.clone(),
            outcome: VerdictOutcome::Waived,
            summary: format!("waived by {}: {comment}", self.context.by),
        });
        self.judge_from(attempt.clone(), stage, index + 1)
    }

    fn give_up(&mut self, reason: &str) {
        self.event(EventKind::Cancelled { reason: reason.to_owned() });
        self.end(PipelineState::Cancelled {
            by: self.context.by.clone(),
            reason: reason.to_owned(),
        });
    }

    pub(super) fn cancel(&mut self, state: &PipelineState, reason: &str) {
        self.withdraw_decision(state);
        self.give_up(reason);
    }

    pub(super) fn pause(&mut self, state: &PipelineState) {
        self.event(EventKind::Paused);
        self.pipeline.state = PipelineState::Paused { inner: Box::new(state.clone()) };
    }

    pub(super) fn resume(&mut self, inner: &PipelineState) {
        self.event(EventKind::Resumed);
        self.pipeline.state = inner.clone();
    }

    /// Keeps a pipeline paused after something ended inside of its pause.
    pub(super) fn pause_again(&mut self) {
        if !self.pipeline.state.is_terminal() {
            let inner = std::mem::replace(&mut self.pipeline.state, PipelineState::Queued);
            self.pipeline.state = PipelineState::Paused { inner: Box::new(inner) };
        }
    }

    pub(super) fn restart_stage(
        &mut self,
        state: &PipelineState,
        name: &StageName,
    ) -> Result<(), Refusal> {
        self.stage(name)?;
        if state.attempt().is_some_and(landing) {
            return Err(self.may_have_landed());
        }
        if self.pipeline.head.is_none() {
            // Before the repository was found there is nothing to begin a stage with.
            return Err(Refusal::NotAllowed { state: state.into(), input: InputTag::RestartStage });
        }
        if let Some(current) = self.pipeline.stage().filter(|current| !self.leads_to(name, current))
        {
            return Err(Refusal::StageAhead { stage: name.clone(), current: current.clone() });
        }
        self.withdraw_decision(state);
        self.leave_work_behind();
        self.fresh_budgets(name);
        self.event(EventKind::Restarted { stage: name.clone() });
        self.enter(name, Feedback::default())
    }

    pub(super) fn retry_failed(&mut self, name: &StageName, comment: &str) -> Result<(), Refusal> {
        let stage = self.stage(name)?;
        self.pipeline.epoch += 1;
        self.fresh_budgets(&stage.name);
        self.event(EventKind::Restarted { stage: name.clone() });
        let by = self.context.by.clone();
        self.enter(name, with_comment(Feedback::default(), "how to go on", comment, &by))
    }

    /// A person begins anew: with fresh budgets, and with the whole wall time.
    fn fresh_budgets(&mut self, stage: &StageName) {
        self.pipeline.routes.retain(|route, _| !starts_at(route, stage));
        self.arm_wall_time();
    }

    /// Whether `current` is reached from `stage` by passing: nobody jumps over gates by restarting.
    fn leads_to(&self, stage: &StageName, current: &StageName) -> bool {
        let next = |stage: &&StageName| {
            self.definition.find_stage(stage).and_then(|it| it.on_pass.as_ref())
        };
        std::iter::successors(Some(stage), next)
            .take(self.definition.stages.len())
            .any(|it| it == current)
    }

    pub(super) fn wall_time_over(
        &mut self,
        state: &PipelineState,
        attempt: &StageAttempt,
    ) -> Result<(), Refusal> {
        let Some(limit) = self.definition.limits.wall_time else {
            return Err(Refusal::Inconsistent {
                what: "a timer for a limit that the definition does not set".to_owned(),
            });
        };
        self.withdraw_decision(state);
        let message = format!("the pipeline has not ended within its {} min", limit.as_secs() / 60);
        self.block(attempt.clone(), Block::Limit { message });
        Ok(())
    }
}

/// Whether a counted route begins at this stage: `review->development`, `analysis?questions`.
fn starts_at(route: &str, stage: &StageName) -> bool {
    route
        .strip_prefix(stage.as_str())
        .is_some_and(|rest| rest.starts_with("->") || rest.starts_with('?'))
}
