//! What jobs report.

use super::{Draft, Refusal};
use crate::{
    definition::{Stage, WaveFailure},
    failure::Failure,
    id::RunId,
    job::{Slot, Work},
    name::RoleName,
    pipeline::{AgentReport, Block, EventKind, InputTag, Report, RoleProgress, StageAttempt, Step},
    revision::CommitSha,
    usage::Usage,
    verdict::Finding,
};

impl Draft<'_> {
    /// Whether `slot` is what the attempt is waiting for.
    fn expects(&self, attempt: &StageAttempt, slot: &Slot) -> bool {
        let Slot { epoch, stage, attempt: number, round, work } = slot;
        if *epoch != self.pipeline.epoch || *stage != attempt.stage || *number != attempt.number {
            return false;
        }
        match (&attempt.step, work) {
            (Step::Opening, Work::Open) | (Step::Acting, Work::Intake | Work::Publish) => {
                *round == 0
            }
            (Step::Working { wave, roles }, Work::Agent { role }) => {
                let waits = |it: &RoleProgress| {
                    it.role == *role && it.head.is_none() && it.failure.is_none()
                };
                wave == round && roles.iter().any(waits)
            }
            (Step::Joining { wave, .. }, Work::Join) => wave == round,
            (Step::Integrating { round: now }, Work::Integrate)
            | (Step::Landing { round: now }, Work::Land) => now == round,
            (Step::Gating { .. }, Work::Gate { gate }) => {
                self.gate_of(attempt).is_ok_and(|current| current.name == *gate)
                    && *round == Self::gate_round(attempt)
            }
            _ => false,
        }
    }

    pub(super) fn job_done(
        &mut self,
        attempt: &StageAttempt,
        slot: &Slot,
        report: &Report,
    ) -> Result<(), Refusal> {
        // What was used was used, whether or not the result still matters; but a stale report changes nothing, so
        // that reporting twice does not count twice.
        if !self.expects(attempt, slot) {
            return Err(Refusal::Stale { input: InputTag::JobDone });
        }
        let attempt = attempt.clone();
        match (&slot.work, report) {
            (Work::Open, Report::Opened { base }) => {
                self.pipeline.base = Some(base.clone());
                self.pipeline.head = Some(base.clone());
                self.event(EventKind::Opened { base: base.clone() });
                let start = self.definition.start.clone();
                self.enter(&start, attempt.feedback)
            }
            (Work::Intake, Report::IntakeAccepted { head }) => {
                self.pipeline.head = Some(head.clone());
                let stage = self.stage(&attempt.stage)?;
                self.judge_from(attempt, stage, 0)
            }
            (Work::Intake, Report::IntakeRefused { findings }) => {
                let message =
                    findings.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; ");
                let failure = Failure::new(
                    crate::failure::FailureClass::Permanent,
                    format!("the item cannot be taken in: {message}"),
                );
                self.block(attempt, Block::JobFailed { failure });
                Ok(())
            }
            (Work::Agent { role }, Report::Agent { run, usage, report }) => {
                self.agent_done(attempt, role, *run, *usage, report)
            }
            (Work::Join, Report::Joined { head }) => {
                self.event(EventKind::Joined { stage: attempt.stage.clone(), head: head.clone() });
                self.pipeline.head = Some(head.clone());
                let stage = self.stage(&attempt.stage)?;
                self.start_wave(attempt, stage, slot.round + 1)
            }
            (Work::Join, Report::JoinConflict { findings }) => {
                let role = self.first_role(&attempt)?;
                self.hand_in_again(attempt, &role, findings.clone())
            }
            (Work::Gate { .. }, Report::Gate { verdict }) => self.judged(attempt, verdict),
            (Work::Gate { .. }, Report::GateAsks { questions }) => {
                self.ask_questions(attempt, questions.clone())
            }
            (Work::Integrate | Work::Land, Report::Merge(report)) => {
                self.merge_reported(attempt, slot.round, report)
            }
            (Work::Publish, Report::Published { head }) => {
                self.pipeline.head = Some(head.clone());
                let stage = self.stage(&attempt.stage)?;
                self.leave(&attempt, stage)
            }
            (Work::Publish, Report::PublishRefused { reason }) => {
                let failure = Failure::new(crate::failure::FailureClass::Permanent, reason.clone());
                self.block(attempt, Block::JobFailed { failure });
                Ok(())
            }
            (work, _) => Err(Refusal::Inconsistent {
                what: format!("`{work}` brought a report of another kind"),
            }),
        }
    }

    fn first_role(&self, attempt: &StageAttempt) -> Result<RoleName, Refusal> {
        let stage = self.stage(&attempt.stage)?;
        stage.roles().next().cloned().ok_or_else(|| Refusal::Inconsistent {
            what: format!("stage `{}` has no role", stage.name),
        })
    }

    fn agent_done(
        &mut self,
        attempt: StageAttempt,
        role: &RoleName,
        run: RunId,
        usage: Usage,
        report: &AgentReport,
    ) -> Result<(), Refusal> {
        self.pipeline.usage += usage;
        let stage = self.stage(&attempt.stage)?;
        let (head, changed_paths) = match report {
            AgentReport::HandedIn { head, changed_paths } => (Some(head.clone()), *changed_paths),
            AgentReport::Nothing { .. } | AgentReport::Refused { .. } => (None, 0),
        };
        self.event(EventKind::AgentFinished {
            stage: stage.name.clone(),
            role: role.clone(),
            run,
            head,
            changed_paths,
            usage,
        });
        match report {
            AgentReport::HandedIn { head, .. } => {
                self.role_ended(attempt, stage, role, &Ok(head.clone()))
            }
            AgentReport::Nothing { findings }
                if findings.is_empty() && !stage.must_change_something() =>
            {
                let head = self.head()?;
                self.role_ended(attempt, stage, role, &Ok(head))
            }
            AgentReport::Nothing { findings } if findings.is_empty() => self.hand_in_again(
                attempt,
                role,
                vec![Finding::blocking("the agent ended without changing anything")],
            ),
            AgentReport::Nothing { findings } | AgentReport::Refused { findings } => {
                self.hand_in_again(attempt, role, findings.clone())
            }
        }
    }

    /// A role of the wave has ended, one way or the other; with the last one the stage goes on.
    fn role_ended(
        &mut self,
        mut attempt: StageAttempt,
        stage: &Stage,
        role: &RoleName,
        result: &Result<CommitSha, Failure>,
    ) -> Result<(), Refusal> {
        let Step::Working { wave, mut roles } = attempt.step else {
            return Err(Refusal::Inconsistent {
                what: "an agent ended while none was at work".to_owned(),
            });
        };
        for progress in roles.iter_mut().filter(|it| it.role == *role) {
            match result {
                Ok(head) => progress.head = Some(head.clone()),
                Err(failure) => progress.failure = Some(failure.clone()),
            }
        }
        let failed = roles.iter().find_map(|it| it.failure.clone());
        let all_ended = roles.iter().all(|it| it.head.is_some() || it.failure.is_some());
        let handed_in: Vec<_> =
            roles.iter().filter_map(|it| Some((it.role.clone(), it.head.clone()?))).collect();
        attempt.step = Step::Working { wave, roles };
        match failed {
            Some(failure) if all_ended || stage.on_role_failure == WaveFailure::FailFast => {
                self.block(attempt, Block::JobFailed { failure });
                Ok(())
            }
            None if all_ended => self.wave_ended(attempt, stage, wave, handed_in),
            _ => {
                self.run(attempt);
                Ok(())
            }
        }
    }

    /// All roles of the wave have handed in: one commit comes of it.
    fn wave_ended(
        &mut self,
        mut attempt: StageAttempt,
        stage: &Stage,
        wave: u32,
        handed_in: Vec<(RoleName, CommitSha)>,
    ) -> Result<(), Refusal> {
        let start = self.head()?;
        let heads: Vec<_> = handed_in.into_iter().filter(|(_, head)| *head != start).collect();
        match heads.as_slice() {
            [] => self.start_wave(attempt, stage, wave + 1),
            [(_, head)] => {
                self.pipeline.head = Some(head.clone());
                self.start_wave(attempt, stage, wave + 1)
            }
            _ => {
                attempt.step = Step::Joining { wave, heads };
                self.enqueue(&attempt, wave, Work::Join, Some(start), false);
                self.run(attempt);
                Ok(())
            }
        }
    }

    pub(super) fn job_retried(
        &mut self,
        attempt: &StageAttempt,
        slot: &Slot,
        failure: &Failure,
        usage: Usage,
    ) -> Result<(), Refusal> {
        if !self.expects(attempt, slot) {
            return Err(Refusal::Stale { input: InputTag::JobRetried });
        }
        self.pipeline.usage += usage;
        self.event(EventKind::JobRetried {
            stage: slot.stage.clone(),
            work: slot.work.clone(),
            failure: failure.clone(),
        });
        Ok(())
    }

    pub(super) fn job_failed(
        &mut self,
        attempt: &StageAttempt,
        slot: &Slot,
        failure: &Failure,
        usage: Usage,
    ) -> Result<(), Refusal> {
        if !self.expects(attempt, slot) {
            return Err(Refusal::Stale { input: InputTag::JobFailed });
        }
        self.pipeline.usage += usage;
        self.event(EventKind::JobFailed {
            stage: slot.stage.clone(),
            work: slot.work.clone(),
            failure: failure.clone(),
        });
        let attempt = attempt.clone();
        match &slot.work {
            Work::Agent { role } => {
                let stage = self.stage(&attempt.stage)?;
                self.role_ended(attempt, stage, role, &Err(failure.clone()))
            }
            Work::Gate { gate } => {
                self.block(
                    attempt,
                    Block::GateError { gate: gate.clone(), message: failure.message.clone() },
                );
                Ok(())
            }
            Work::Land => {
                self.landing_in_doubt(attempt, failure);
                Ok(())
            }
            Work::Open
            | Work::Intake
            | Work::Join
            | Work::Integrate
            | Work::Publish
            | Work::Cleanup => {
                self.block(attempt, Block::JobFailed { failure: failure.clone() });
                Ok(())
            }
        }
    }
}
