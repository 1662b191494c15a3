//! The decision while it is being made.

use super::{Context, Decided, Refusal};
use crate::{
    brief::{Answer, Feedback},
    decision::{Choice, Decision, DecisionKind, DecisionState},
    definition::{Definition, Stage},
    id::DecisionId,
    job::{Slot, Work},
    limits::BRIEF_FINDINGS_BYTES_MAX,
    name::StageName,
    pipeline::{Block, Effect, EventKind, NewJob, Pipeline, PipelineState, StageAttempt, Step},
    revision::CommitSha,
    verdict::{Finding, in_short},
};

/// The decision while it is being made: a copy of the pipeline, and what has come of it so far.
pub(super) struct Draft<'a> {
    pub(super) pipeline: Pipeline,
    pub(super) definition: &'a Definition,
    pub(super) context: &'a Context,
    events: Vec<EventKind>,
    effects: Vec<Effect>,
}

/// A question before it has an id.
pub(super) struct Question {
    pub(super) kind: DecisionKind,
    pub(super) text: String,
    pub(super) findings: Vec<Finding>,
    pub(super) show: Vec<String>,
    pub(super) commit: Option<CommitSha>,
    pub(super) options: Vec<Choice>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        pipeline: &Pipeline,
        definition: &'a Definition,
        context: &'a Context,
    ) -> Self {
        let mut pipeline = pipeline.clone();
        pipeline.version += 1;
        Self { pipeline, definition, context, events: Vec::new(), effects: Vec::new() }
    }

    pub(super) fn finish(self) -> Decided {
        Decided { pipeline: self.pipeline, events: self.events, effects: self.effects }
    }

    pub(super) fn event(&mut self, event: EventKind) {
        self.events.push(event);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn stage(&self, name: &StageName) -> Result<&'a Stage, Refusal> {
        self.definition
            .find_stage(name)
            .ok_or_else(|| Refusal::UnknownStage { stage: name.clone() })
    }

    /// The last commit handed in. There is one as soon as the pipeline was opened.
    pub(super) fn head(&self) -> Result<CommitSha, Refusal> {
        self.pipeline.head.clone().ok_or_else(|| Refusal::Inconsistent {
            what: "no commit although it was opened".to_owned(),
        })
    }

    pub(super) fn enqueue(
        &mut self,
        attempt: &StageAttempt,
        round: u32,
        work: Work,
        commit: Option<CommitSha>,
        exclusive: bool,
    ) {
        let slot = Slot {
            epoch: self.pipeline.epoch,
            stage: attempt.stage.clone(),
            attempt: attempt.number,
            round,
            work,
        };
        self.effect(Effect::Enqueue(NewJob { slot, commit, exclusive }));
    }

    pub(super) fn run(&mut self, attempt: StageAttempt) {
        self.pipeline.state = PipelineState::Running { attempt };
    }

    /// Asks a person; the caller says which state waits for the answer.
    pub(super) fn ask(&mut self, question: Question) -> DecisionId {
        let Question { kind, text, findings, show, commit, options } = question;
        let id = self.context.decision;
        self.event(EventKind::DecisionOpened { decision: id, kind, question: text.clone() });
        self.effect(Effect::OpenDecision(Decision {
            id,
            pipeline: self.pipeline.id,
            kind,
            question: text,
            findings,
            show,
            commit,
            options,
            opened_at: self.context.now,
            state: DecisionState::Open,
        }));
        id
    }

    pub(super) fn resolve(&mut self, id: DecisionId, choice: Choice, comment: &str) {
        self.event(EventKind::DecisionResolved {
            decision: id,
            choice,
            comment: comment.to_owned(),
        });
        self.effect(Effect::ResolveDecision { id, choice, comment: comment.to_owned() });
    }

    pub(super) fn withdraw_decision(&mut self, state: &PipelineState) {
        if let Some(decision) = state.decision() {
            self.event(EventKind::DecisionWithdrawn { decision });
            self.effect(Effect::WithdrawDecision { id: decision });
        }
    }

    /// Leaves all work under way behind: what it still reports is stale.
    pub(super) fn leave_work_behind(&mut self) {
        self.pipeline.epoch += 1;
        self.effect(Effect::CancelJobs);
        self.effect(Effect::ReleaseMergeLease);
    }

    /// Waits for a person to settle `block`.
    pub(super) fn block(&mut self, attempt: StageAttempt, block: Block) {
        let (reason, findings) = describe(&block);
        let kind = if matches!(block, Block::Limit { .. }) {
            DecisionKind::Limit
        } else {
            DecisionKind::Escalation
        };
        self.leave_work_behind();
        self.event(EventKind::Blocked { stage: attempt.stage.clone(), reason: reason.clone() });
        let options = options(&block, &attempt);
        let commit = self.pipeline.head.clone();
        let decision =
            self.ask(Question { kind, text: reason, findings, show: Vec::new(), commit, options });
        self.pipeline.state = PipelineState::Blocked { attempt, decision, block };
    }
}

/// What a person can do about a block.
pub(super) fn options(block: &Block, attempt: &StageAttempt) -> Vec<Choice> {
    match block {
        // A merge conflict: there is no commit that could be let through.
        Block::GateFailed { .. } if !matches!(attempt.step, Step::Gating { .. }) => {
            vec![Choice::Retry, Choice::Cancel]
        }
        Block::GateFailed { .. } | Block::GateError { .. } => {
            vec![Choice::Retry, Choice::Waive, Choice::Cancel]
        }
        Block::HandIn { .. } | Block::JobFailed { .. } | Block::Stranded => {
            vec![Choice::Retry, Choice::Cancel]
        }
        Block::Questions { .. } => vec![Choice::Answer, Choice::Cancel],
        Block::Limit { .. } => vec![Choice::Continue, Choice::Cancel],
    }
}

/// A block in one sentence, and the words behind it.
fn describe(block: &Block) -> (String, Vec<Finding>) {
    match block {
        Block::GateFailed { gate, feedback, .. } => (
            format!("gate `{gate}` failed again: {}", first_words(feedback)),
            feedback.findings.clone(),
        ),
        Block::GateError { gate, message } => {
            (format!("gate `{gate}` could not answer: {message}"), Vec::new())
        }
        Block::HandIn { role, feedback } => (
            format!("role `{role}` handed in what cannot be taken: {}", first_words(feedback)),
            feedback.findings.clone(),
        ),
        Block::JobFailed { failure } => (failure.message.clone(), Vec::new()),
        Block::Questions { questions } => (questions.clone(), Vec::new()),
        Block::Limit { message } => (message.clone(), Vec::new()),
        Block::Stranded => (
            "nothing was left that would have moved it on: its job or its question is gone, which must not be".to_owned(),
            Vec::new(),
        ),
    }
}

/// The first finding, on one line.
pub(super) fn first_words(feedback: &Feedback) -> String {
    let first = feedback.findings.first().map(|finding| in_short(&finding.message));
    first.unwrap_or_else(|| "it gave no reason".to_owned())
}

/// Feedback that carries these findings and, where a person said something, their words.
pub(super) fn feedback(from: &str, findings: Vec<Finding>) -> Feedback {
    Feedback { from: Some(from.to_owned()), findings: bounded(findings), answers: Vec::new() }
}

/// Adds a person's words to what the agent will read.
pub(super) fn with_comment(
    mut feedback: Feedback,
    question: &str,
    comment: &str,
    by: &str,
) -> Feedback {
    if !comment.trim().is_empty() {
        feedback.answers.push(Answer {
            question: question.to_owned(),
            answer: comment.to_owned(),
            by: by.to_owned(),
        });
    }
    feedback
}

/// State is read at every step: it keeps what a brief can carry, the verdict's evidence keeps the whole.
fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    let mut left = BRIEF_FINDINGS_BYTES_MAX;
    let mut kept = Vec::new();
    for mut finding in findings {
        if left == 0 {
            break;
        }
        if finding.message.len() > left {
            let end =
                (0..=left).rev().find(|&at| finding.message.is_char_boundary(at)).unwrap_or(0);
            finding.message.truncate(end);
            finding.message.push_str("\n[cut: the whole text is with the verdict]");
            left = 0;
        } else {
            left -= finding.message.len();
        }
        kept.push(finding);
    }
    kept
}
