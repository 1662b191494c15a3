//! Why the engine did not do what it was asked.

use domain::{
    definition::DefinitionHash,
    id::{LetterId, PipelineId, RunId},
    item::ItemError,
    outbox::LetterRefusal,
    pipeline::Refusal,
};
use ports::{GitError, SandboxError, StoreError};

/// Why the engine did not do what it was asked. Nothing was changed, where it is not said otherwise.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such pipeline.
    #[error("there is no pipeline `{id}`")]
    UnknownPipeline {
        /// The id.
        id: PipelineId,
    },
    /// Its pinned definition is not in the store.
    #[error("the definition {hash} that pipeline `{id}` is pinned to is missing from the store")]
    MissingDefinition {
        /// The pipeline.
        id: PipelineId,
        /// The definition.
        hash: DefinitionHash,
    },
    /// There is no such letter.
    #[error("there is no letter `{id}`")]
    UnknownLetter {
        /// The id.
        id: LetterId,
    },
    /// The letter's state does not allow it.
    #[error(transparent)]
    Letter(#[from] LetterRefusal),
    /// The core said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The words do not make an item.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// The store did not do it.
    #[error("could not use the store")]
    Store(#[from] StoreError),
    /// The sandbox did not do it.
    #[error("could not stop an agent")]
    Sandbox(#[from] SandboxError),
    /// There was no room to keep what an agent left, which stays where it is. Everything else was done: the agent has been
    /// stopped.
    #[error("no room to keep what run {run} left: {reason}")]
    NoRoomToKeep {
        /// The run of the agent.
        run: RunId,
        /// What the system said.
        reason: String,
    },
    /// Git did not do it.
    #[error("could not use the repository")]
    Git(#[from] GitError),
}

impl EngineError {
    /// Whether the store is only unwell for now, or a disk is full.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        use StoreError as S;
        matches!(
            self,
            Self::Store(S::Overloaded { .. } | S::DiskFull { .. } | S::Database { .. })
                | Self::NoRoomToKeep { .. }
        )
    }

    /// Whether no other try gets over what is wrong with the store. The loop ends with it, which is told once.
    pub(crate) const fn is_of_an_unusable_store(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unusable { .. }))
    }

    /// Whether one pipeline is damaged, which must not keep the others waiting.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Inconsistent { .. }) | Self::MissingDefinition { .. }
        )
    }
}
