//! What becomes of a pipeline that nothing would have moved.

use super::{Draft, Refusal};
use crate::pipeline::{Block, EventKind, InputTag, PipelineState, StageAttempt};

impl Draft<'_> {
    /// Asks a person: about what blocked it, where that question is gone, and how to go on where its job is.
    pub(super) fn stranded(
        &mut self,
        state: &PipelineState,
        attempt: &StageAttempt,
        found_at: u64,
    ) -> Result<(), Refusal> {
        // The draft is one version ahead.
        if found_at.checked_add(1) != Some(self.pipeline.version) {
            return Err(Refusal::Stale { input: InputTag::Stranded });
        }
        self.event(EventKind::Stranded { stage: attempt.stage.clone() });
        self.withdraw_decision(state);
        let block = match state {
            PipelineState::Blocked { block, .. } => block.clone(),
            _ => Block::Stranded,
        };
        self.block(attempt.clone(), block);
        Ok(())
    }
}
