//! Merging: bring the branch onto the target, judge that very tree, move the target.

use super::{Draft, Refusal};
use crate::{
    failure::{Failure, FailureClass},
    job::Work,
    limits::MERGE_RETRIES_MAX,
    name::GateName,
    pipeline::{Block, Candidate, Delivered, Effect, EventKind, MergeReport, StageAttempt, Step},
    revision::CommitSha,
};

impl Draft<'_> {
    /// Asks for a merge candidate. From here on the project's merge lease is needed.
    pub(super) fn integrate(
        &mut self,
        mut attempt: StageAttempt,
        round: u32,
    ) -> Result<(), Refusal> {
        let head = self.head()?;
        attempt.candidate = None;
        attempt.step = Step::Integrating { round };
        self.enqueue(&attempt, round, Work::Integrate, Some(head), true);
        self.run(attempt);
        Ok(())
    }

    /// Asks for the target to be moved to the candidate, which every gate has passed. Asked again after a landing of
    /// which nobody knows how it ended, it looks first whether the target holds the candidate.
    pub(super) fn land(&mut self, mut attempt: StageAttempt) -> Result<(), Refusal> {
        let candidate = candidate(&attempt)?;
        attempt.step = Step::Landing { round: candidate.round };
        self.enqueue(&attempt, candidate.round, Work::Land, Some(candidate.commit), true);
        self.run(attempt);
        Ok(())
    }

    pub(super) fn merge_reported(
        &mut self,
        mut attempt: StageAttempt,
        round: u32,
        report: &MergeReport,
    ) -> Result<(), Refusal> {
        let stage = self.stage(&attempt.stage)?;
        let landing = matches!(attempt.step, Step::Landing { .. });
        match report {
            MergeReport::Integrated { candidate } if !landing => {
                self.event(EventKind::Integrated {
                    candidate: candidate.commit.clone(),
                    target: candidate.target.clone(),
                });
                attempt.candidate = Some(Candidate { round, ..candidate.clone() });
                self.judge_from(attempt, stage, 0)
            }
            MergeReport::AlreadyMerged { target } if !landing => {
                self.merged(&attempt, target.clone())
            }
            MergeReport::MergedBefore { commits } if !landing => {
                self.event(EventKind::MergedBefore { commits: commits.clone() });
                let named: Vec<&str> = commits.iter().map(CommitSha::short).collect();
                let message = format!(
                    "`{}` holds a merge of this pipeline already, {}, that was made before a backup was brought back; \
                     look at it, then cancel if that is the work to keep, or retry to merge what was made since as well",
                    self.pipeline.target,
                    named.join(", ")
                );
                self.not_landed(attempt, round, message);
                Ok(())
            }
            MergeReport::Conflict { head, findings } if !landing => {
                // Whoever mends it has both sides before them; what they hand in then descends from the target.
                let commit = head.clone();
                self.pipeline.head = Some(head.clone());
                // The gate of the merge may not have been asked yet, but it is the one that this is about.
                let gate = stage.gates.first().map(|gate| gate.name.clone());
                let gate = gate.or_else(|| GateName::new("mergeable").ok());
                let gate = gate.ok_or_else(|| Refusal::Inconsistent {
                    what: "no name for the merge's gate".to_owned(),
                })?;
                self.take_route(
                    attempt,
                    stage,
                    stage.on_fail.as_ref(),
                    &gate,
                    findings.clone(),
                    commit,
                )
            }
            MergeReport::Landed if landing => {
                let candidate = candidate(&attempt)?;
                self.pipeline.head = Some(candidate.head);
                self.merged(&attempt, candidate.commit)
            }
            MergeReport::TargetMoved if landing => {
                self.event(EventKind::TargetMoved { round: round + 1 });
                if round + 1 >= MERGE_RETRIES_MAX {
                    let message = format!(
                        "the target moved {MERGE_RETRIES_MAX} times while the merge was being tested"
                    );
                    self.not_landed(attempt, round, message);
                    return Ok(());
                }
                self.integrate(attempt, round + 1)
            }
            MergeReport::Refused { reason } if landing => {
                self.not_landed(attempt, round, reason.clone());
                Ok(())
            }
            _ => Err(Refusal::Inconsistent {
                what: "the merge brought a report of another step".to_owned(),
            }),
        }
    }

    /// Waits for a person, the target being known not to hold the candidate: the merge begins anew, or another stage.
    fn not_landed(&mut self, mut attempt: StageAttempt, round: u32, message: String) {
        attempt.candidate = None;
        attempt.step = Step::Integrating { round };
        let failure = Failure::new(FailureClass::Permanent, message);
        self.block(attempt, Block::JobFailed { failure });
    }

    /// A landing was given up, and may have moved the target all the same. A person is asked, and the step stays: what
    /// is done next is to look. Everything else could merge the work a second time.
    pub(super) fn landing_in_doubt(&mut self, attempt: StageAttempt, failure: &Failure) {
        let message = format!(
            "{}; whether `{}` was moved is not known: a retry looks there first",
            failure.message, self.pipeline.target
        );
        self.block(attempt, Block::JobFailed { failure: Failure { message, ..failure.clone() } });
    }

    pub(super) fn may_have_landed(&self) -> Refusal {
        Refusal::MayHaveLanded { target: self.pipeline.target.clone() }
    }

    fn merged(&mut self, attempt: &StageAttempt, commit: CommitSha) -> Result<(), Refusal> {
        let stage = self.stage(&attempt.stage)?;
        let head = self.head()?;
        self.effect(Effect::ReleaseMergeLease);
        self.pipeline.seen.insert(stage.name.clone(), head);
        self.event(EventKind::StagePassed {
            stage: stage.name.clone(),
            attempt: attempt.number,
            commit: commit.clone(),
        });
        if let Some(next) = &stage.on_pass {
            return self.enter(&next.clone(), crate::brief::Feedback::default());
        }
        self.succeed(Delivered::Merged { commit });
        Ok(())
    }

    /// Lets others merge when an attempt that may hold the lease is left.
    pub(super) fn leave_merge(&mut self, attempt: &StageAttempt) {
        if attempt.candidate.is_some()
            || matches!(attempt.step, Step::Integrating { .. } | Step::Landing { .. })
        {
            self.effect(Effect::ReleaseMergeLease);
        }
    }
}

fn candidate(attempt: &StageAttempt) -> Result<Candidate, Refusal> {
    attempt
        .candidate
        .clone()
        .ok_or_else(|| Refusal::Inconsistent { what: "nothing to merge".to_owned() })
}
