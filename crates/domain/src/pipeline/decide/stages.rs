//! Entering, working through and leaving stages.

use super::{
    Draft, Refusal,
    draft::{Question, feedback},
};
use crate::{
    brief::Feedback,
    decision::{Choice, DecisionKind},
    definition::{Action, Stage},
    job::{Slot, Work},
    limits::{HAND_IN_RETRIES_MAX, QUESTION_ROUNDS_MAX},
    name::{RoleName, StageName},
    pipeline::{
        Block, Delivered, Delivery, Effect, EventKind, NewJob, PipelineState, RoleProgress,
        StageAttempt, Step, TimerKey,
    },
    verdict::Finding,
};

impl Draft<'_> {
    /// Starts a queued pipeline: the repository first.
    pub(super) fn open(&mut self) {
        self.event(EventKind::Started);
        self.arm_wall_time();
        self.reopen();
    }

    /// Looks at the repository, for the first time or again.
    pub(super) fn reopen(&mut self) {
        let attempt = StageAttempt {
            stage: self.definition.start.clone(),
            number: 0,
            started_at: self.context.now,
            feedback: Feedback::default(),
            step: Step::Opening,
            candidate: None,
        };
        // A new epoch each time keeps the slots apart.
        self.pipeline.epoch += 1;
        self.enqueue(&attempt, 0, Work::Open, None, false);
        self.run(attempt);
    }

    pub(super) fn arm_wall_time(&mut self) {
        if let Some(limit) = self.definition.limits.wall_time {
            let limit = jiff::SignedDuration::try_from(limit).unwrap_or(jiff::SignedDuration::MAX);
            let at = self.context.now.saturating_add(limit).unwrap_or(jiff::Timestamp::MAX);
            self.effect(Effect::ArmTimer { timer: TimerKey::WallTime, at });
        }
    }

    /// Begins a new attempt of a stage.
    pub(super) fn enter(&mut self, name: &StageName, feedback: Feedback) -> Result<(), Refusal> {
        let stage = self.stage(name)?;
        let number = self.pipeline.attempts.entry(name.clone()).or_insert(0);
        *number += 1;
        let attempt = StageAttempt {
            stage: name.clone(),
            number: *number,
            started_at: self.context.now,
            feedback,
            step: Step::Acting,
            candidate: None,
        };
        self.event(EventKind::StageEntered { stage: name.clone(), attempt: attempt.number });
        match stage.action {
            None => self.start_wave(attempt, stage, 0),
            Some(Action::Intake) => {
                let head = self.head()?;
                self.enqueue(&attempt, 0, Work::Intake, Some(head), false);
                self.run(attempt);
                Ok(())
            }
            Some(Action::Merge) => self.integrate(attempt, 0),
            Some(Action::Deliver) if self.pipeline.options.delivery == Delivery::Merge => {
                self.integrate(attempt, 0)
            }
            Some(Action::Deliver) => self.judge_from(attempt, stage, 0),
        }
    }

    /// All gates let the attempt pass: on to its last act, or out of the stage.
    pub(super) fn gates_passed(
        &mut self,
        mut attempt: StageAttempt,
        stage: &Stage,
    ) -> Result<(), Refusal> {
        if attempt.candidate.is_some() {
            return self.land(attempt);
        }
        if stage.action != Some(Action::Deliver) {
            return self.leave(&attempt, stage);
        }
        let head = self.head()?;
        attempt.step = Step::Acting;
        self.enqueue(&attempt, 0, Work::Publish, Some(head), false);
        self.run(attempt);
        Ok(())
    }

    /// Asks for the agents of a wave, unless a limit forbids it.
    pub(super) fn start_wave(
        &mut self,
        mut attempt: StageAttempt,
        stage: &Stage,
        wave: u32,
    ) -> Result<(), Refusal> {
        let Some(roles) = stage.waves.get(wave as usize) else {
            return self.judge_from(attempt, stage, 0);
        };
        attempt.step = Step::Working {
            wave,
            roles: roles
                .iter()
                .map(|role| RoleProgress { role: role.clone(), head: None, failure: None })
                .collect(),
        };
        if let Some(message) = self.spent_limit() {
            self.block(attempt, Block::Limit { message });
            return Ok(());
        }
        let head = self.head()?;
        self.event(EventKind::AgentsRequested {
            stage: stage.name.clone(),
            attempt: attempt.number,
            roles: roles.clone(),
        });
        for role in roles {
            self.enqueue(
                &attempt,
                wave,
                Work::Agent { role: role.clone() },
                Some(head.clone()),
                false,
            );
        }
        self.run(attempt);
        Ok(())
    }

    /// The limit that is spent, as a sentence. Looked at before an agent starts, not while it works.
    fn spent_limit(&self) -> Option<String> {
        let grants = u64::from(self.pipeline.limit_grants) + 1;
        let (limits, usage) = (&self.definition.limits, &self.pipeline.usage);
        let tokens = limits.tokens.map(|max| max.saturating_mul(grants));
        if let Some(max) = tokens.filter(|&max| usage.tokens() >= max) {
            return Some(format!(
                "the pipeline has used {} tokens of the {max} that its limit allows",
                usage.tokens()
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "nobody grants a limit 2^52 times")]
        let cost = limits.cost_usd.map(|max| max * grants as f64);
        let spent = usage.cost_usd.unwrap_or(0.0);
        if let Some(max) = cost.filter(|&max| spent >= max) {
            return Some(format!(
                "the pipeline has cost {spent:.2} USD of the {max:.2} USD that its limit allows"
            ));
        }
        None
    }

    /// All gates let the attempt pass: on to the next stage, or to the end.
    pub(super) fn leave(&mut self, attempt: &StageAttempt, stage: &Stage) -> Result<(), Refusal> {
        let commit = self.head()?;
        self.pipeline.seen.insert(stage.name.clone(), commit.clone());
        self.event(EventKind::StagePassed {
            stage: stage.name.clone(),
            attempt: attempt.number,
            commit: commit.clone(),
        });
        if let Some(next) = &stage.on_pass {
            return self.enter(&next.clone(), Feedback::default());
        }
        self.succeed(Delivered::Branch { head: commit });
        Ok(())
    }

    pub(super) fn succeed(&mut self, delivered: Delivered) {
        self.event(EventKind::Succeeded { delivered: delivered.clone() });
        self.end(PipelineState::Succeeded { delivered });
    }

    /// Ends the pipeline: nothing of it may go on. What it used on disk is removed, except where it may be retried.
    pub(super) fn end(&mut self, state: PipelineState) {
        let last = self.pipeline.stage().cloned().unwrap_or_else(|| self.definition.start.clone());
        self.leave_work_behind();
        self.effect(Effect::DisarmTimers);
        if !matches!(state, PipelineState::Failed { .. }) {
            let attempt = self.pipeline.attempts.get(&last).copied().unwrap_or(0);
            let slot = Slot {
                epoch: self.pipeline.epoch,
                stage: last,
                attempt,
                round: 0,
                work: Work::Cleanup,
            };
            self.effect(Effect::Enqueue(NewJob { slot, commit: None, exclusive: false }));
        }
        self.pipeline.state = state;
    }

    /// An agent asks: a person answers, so often.
    pub(super) fn ask_questions(
        &mut self,
        attempt: StageAttempt,
        questions: String,
    ) -> Result<(), Refusal> {
        if self.count_route(&format!("{}?questions", attempt.stage), QUESTION_ROUNDS_MAX).is_none()
        {
            self.block(attempt, Block::Questions { questions });
            return Ok(());
        }
        let commit = Some(self.head()?);
        let decision = self.ask(Question {
            kind: DecisionKind::Question,
            text: questions,
            findings: Vec::new(),
            show: Vec::new(),
            commit,
            options: vec![Choice::Answer, Choice::Cancel],
        });
        self.pipeline.state = PipelineState::AwaitingHuman { attempt, decision };
        Ok(())
    }

    /// Takes a route once more and returns the count; `None` where it was taken `max` times already.
    pub(super) fn count_route(&mut self, route: &str, max: u32) -> Option<u32> {
        let count = self.pipeline.routes.entry(route.to_owned()).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(*count)
    }

    /// The same stage once more, because of what was handed in; after so many times a person.
    pub(super) fn hand_in_again(
        &mut self,
        attempt: StageAttempt,
        role: &RoleName,
        findings: Vec<Finding>,
    ) -> Result<(), Refusal> {
        let feedback = feedback("the hand-in check", findings);
        self.leave_work_behind();
        let Some(count) =
            self.count_route(&format!("{}?hand-in", attempt.stage), HAND_IN_RETRIES_MAX)
        else {
            self.block(attempt, Block::HandIn { role: role.clone(), feedback });
            return Ok(());
        };
        let stage = attempt.stage;
        self.event(EventKind::SentBack {
            from: stage.clone(),
            to: stage.clone(),
            by: "hand-in".to_owned(),
            count,
            max: Some(HAND_IN_RETRIES_MAX),
            findings: feedback.findings.clone(),
        });
        self.enter(&stage, feedback)
    }
}
