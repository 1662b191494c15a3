//! Decides what an input does to a pipeline: one question a file.

mod draft;
mod gates;
mod jobs;
mod merge;
mod people;
mod refusal;
mod stages;
mod stranded;

use draft::Draft;
use jiff::Timestamp;
pub use refusal::Refusal;

use super::{
    Effect, EventKind, Input, Pipeline, PipelineState, Report, StageAttempt, Step, TimerKey,
};
use crate::{
    definition::Definition,
    id::{DecisionId, LetterId},
    job::{Slot, Work},
    limits::WORDS_BYTES_MAX,
    name::DestinationName,
    outbox::LetterNews,
};

/// What a decision needs that is neither state nor input: time, and a fresh id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The current time.
    pub now: Timestamp,
    /// The id of the question, should one be asked. A step asks at most one.
    pub decision: DecisionId,
    /// Who brings the input, in words: kept with what people decide.
    pub by: String,
}

/// What an input does: to be saved in one transaction, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The pipeline as it is now, its version one higher.
    pub pipeline: Pipeline,
    /// What happened, in order.
    pub events: Vec<EventKind>,
    /// What follows, in order.
    pub effects: Vec<Effect>,
}

/// Decides what `input` does to `pipeline`.
///
/// Pure and total: the same arguments give the same answer, and every state meets every input. `definition` is
/// the one that the pipeline pinned; a stage that it does not know is a [`Refusal::Inconsistent`].
pub fn decide(
    pipeline: &Pipeline,
    definition: &Definition,
    input: &Input,
    context: &Context,
) -> Result<Decided, Refusal> {
    if let Some(found) = input.words().map(str::len).filter(|length| *length > WORDS_BYTES_MAX) {
        return Err(Refusal::LongWords { input: input.into(), found });
    }
    let mut draft = Draft::new(pipeline, definition, context);
    draft.step(input)?;
    Ok(draft.finish())
}

impl Draft<'_> {
    fn step(&mut self, input: &Input) -> Result<(), Refusal> {
        // Letters go their own way, whatever becomes of the pipeline that they tell of.
        if let Input::Letter { letter, destination, about, news } = input {
            self.tell_of_letter(*letter, destination, *about, news);
            return Ok(());
        }
        let state = self.pipeline.state.clone();
        match &state {
            // Work under way may end, people may answer, all inside of the pause: nothing new starts, because no
            // worker takes a job of a paused pipeline.
            PipelineState::Paused { inner }
                if !matches!(input, Input::Start | Input::Pause | Input::Resume) =>
            {
                self.pipeline.state = PipelineState::clone(inner);
                self.step_in(inner, input)?;
                self.pause_again();
                Ok(())
            }
            _ => self.step_in(&state, input),
        }
    }

    // A new state must be added here. A new input must be added to the transition table test, which shows what
    // every state makes of it.
    fn step_in(&mut self, state: &PipelineState, input: &Input) -> Result<(), Refusal> {
        let not_allowed = || Refusal::NotAllowed { state: state.into(), input: input.into() };
        match state {
            PipelineState::Queued => match input {
                Input::Start => self.open(),
                Input::Pause => self.pause(state),
                Input::Cancel { reason } => self.cancel(state, reason),
                Input::JobDone { .. }
                | Input::JobRetried { .. }
                | Input::JobFailed { .. }
                | Input::TimerFired { .. }
                | Input::Stranded { .. } => {
                    return Err(Refusal::Stale { input: input.into() });
                }
                _ => return Err(not_allowed()),
            },
            PipelineState::Running { attempt } => match input {
                Input::Stranded { version } => return self.stranded(state, attempt, *version),
                // The target may have been moved already: too late to give up, soon over.
                Input::Cancel { .. } if landing(attempt) => return Err(self.may_have_landed()),
                Input::TimerFired { .. } if landing(attempt) => {
                    return Err(Refusal::Stale { input: input.into() });
                }
                Input::JobDone { slot, report } => return self.job_done(attempt, slot, report),
                Input::JobRetried { slot, failure, usage } => {
                    return self.job_retried(attempt, slot, failure, *usage);
                }
                Input::JobFailed { slot, failure, usage } => {
                    return self.job_failed(attempt, slot, failure, *usage);
                }
                Input::TimerFired { timer: TimerKey::WallTime } => {
                    return self.wall_time_over(state, attempt);
                }
                Input::RestartStage { stage } => return self.restart_stage(state, stage),
                Input::Pause => self.pause(state),
                Input::Cancel { reason } => self.cancel(state, reason),
                Input::Resolve { .. } => return Err(Refusal::Stale { input: input.into() }),
                _ => return Err(not_allowed()),
            },
            PipelineState::AwaitingHuman { attempt, decision } => match input {
                Input::Stranded { version } => return self.stranded(state, attempt, *version),
                Input::Resolve { decision: answered, choice, comment } => {
                    current(*decision, *answered, input)?;
                    return self.gate_answered(attempt, *decision, *choice, comment);
                }
                Input::TimerFired { timer: TimerKey::WallTime } => {
                    return self.wall_time_over(state, attempt);
                }
                Input::RestartStage { stage } => return self.restart_stage(state, stage),
                Input::Pause => self.pause(state),
                Input::Cancel { reason } => self.cancel(state, reason),
                Input::JobDone { .. } | Input::JobRetried { .. } | Input::JobFailed { .. } => {
                    return Err(Refusal::Stale { input: input.into() });
                }
                _ => return Err(not_allowed()),
            },
            PipelineState::Blocked { attempt, decision, block } => match input {
                Input::Stranded { version } => return self.stranded(state, attempt, *version),
                Input::Resolve { decision: answered, choice, comment } => {
                    current(*decision, *answered, input)?;
                    return self.block_answered(state, attempt, *decision, block, *choice, comment);
                }
                Input::Retry { comment } => {
                    return self.retry_block(attempt, *decision, block, comment);
                }
                Input::RestartStage { stage } => return self.restart_stage(state, stage),
                Input::Pause => self.pause(state),
                Input::Cancel { reason } => self.cancel(state, reason),
                Input::JobDone { .. }
                | Input::JobRetried { .. }
                | Input::JobFailed { .. }
                | Input::TimerFired { .. } => {
                    return Err(Refusal::Stale { input: input.into() });
                }
                _ => return Err(not_allowed()),
            },
            PipelineState::Paused { inner } => match input {
                Input::Resume => self.resume(inner),
                _ => return Err(not_allowed()),
            },
            PipelineState::Failed { stage, .. } => match input {
                Input::Retry { comment } => return self.retry_failed(stage, comment),
                Input::Cancel { reason } => self.cancel(state, reason),
                _ => return self.after_the_end(input, not_allowed()),
            },
            PipelineState::Succeeded { .. } | PipelineState::Cancelled { .. } => {
                return self.after_the_end(input, not_allowed());
            }
        }
        Ok(())
    }

    fn tell_of_letter(
        &mut self,
        letter: LetterId,
        destination: &DestinationName,
        about: u64,
        news: &LetterNews,
    ) {
        let destination = destination.clone();
        self.event(match news.clone() {
            LetterNews::Died { why } => EventKind::LetterDied { letter, destination, about, why },
            LetterNews::Retried => EventKind::LetterRetried { letter, destination, about },
            LetterNews::Dropped { reason } => {
                EventKind::LetterDropped { letter, destination, about, reason }
            }
        });
    }

    /// Clean-ups end after their pipeline did; other reports and timers come too late; people are told.
    fn after_the_end(&mut self, input: &Input, not_allowed: Refusal) -> Result<(), Refusal> {
        match input {
            Input::JobDone { slot, report: Report::CleanedUp } if self.cleans_up(slot) => {
                self.event(EventKind::CleanedUp);
                Ok(())
            }
            Input::JobRetried { slot, failure, .. } if self.cleans_up(slot) => {
                self.event(EventKind::JobRetried {
                    stage: slot.stage.clone(),
                    work: slot.work.clone(),
                    failure: failure.clone(),
                });
                Ok(())
            }
            Input::JobFailed { slot, failure, .. } if self.cleans_up(slot) => {
                self.event(EventKind::JobFailed {
                    stage: slot.stage.clone(),
                    work: slot.work.clone(),
                    failure: failure.clone(),
                });
                Ok(())
            }
            Input::JobDone { .. }
            | Input::JobRetried { .. }
            | Input::JobFailed { .. }
            | Input::TimerFired { .. }
            | Input::Stranded { .. } => Err(Refusal::Stale { input: input.into() }),
            _ => Err(not_allowed),
        }
    }

    fn cleans_up(&self, slot: &Slot) -> bool {
        slot.epoch == self.pipeline.epoch && slot.work == Work::Cleanup
    }
}

/// Whether the target may have been moved to the candidate already.
fn landing(attempt: &StageAttempt) -> bool {
    matches!(attempt.step, Step::Landing { .. })
}

fn current(open: DecisionId, answered: DecisionId, input: &Input) -> Result<(), Refusal> {
    if open == answered { Ok(()) } else { Err(Refusal::Stale { input: input.into() }) }
}
