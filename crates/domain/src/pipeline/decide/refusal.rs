//! Why an input did nothing.

use crate::{
    decision::Choice,
    limits::WORDS_BYTES_MAX,
    name::StageName,
    pipeline::{InputTag, PipelineStateTag},
    revision::BranchName,
};

/// Why an input did nothing. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// About something that was left behind. Harmless: reports and timers come late and twice.
    #[error("`{input}` is about something that was left behind")]
    Stale {
        /// What was tried.
        input: InputTag,
    },
    /// The state does not allow it.
    #[error("a pipeline that is `{state}` cannot take `{input}`")]
    NotAllowed {
        /// The state.
        state: PipelineStateTag,
        /// What was tried.
        input: InputTag,
    },
    /// The question does not offer it.
    #[error("`{choice}` is not offered; choose one of: {}", .options.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NotOffered {
        /// What was chosen.
        choice: Choice,
        /// What can be.
        options: Vec<Choice>,
    },
    /// The choice means nothing without words.
    #[error("`{choice}` needs a comment that says why")]
    CommentMissing {
        /// What was chosen.
        choice: Choice,
    },
    /// More words than anybody reads.
    #[error("the words of `{input}` have {found} bytes, at most {max} fit", max = WORDS_BYTES_MAX)]
    LongWords {
        /// What was tried.
        input: InputTag,
        /// How many.
        found: usize,
    },
    /// The definition has no such stage.
    #[error("the definition has no stage `{stage}`")]
    UnknownStage {
        /// The stage.
        stage: StageName,
    },
    /// Restarting there would leave out the gates in between.
    #[error(
        "stage `{stage}` comes after stage `{current}`, whose gates have not been passed; restart `{current}` or one before it"
    )]
    StageAhead {
        /// The stage that was asked for.
        stage: StageName,
        /// The stage under way.
        current: StageName,
    },
    /// Too late to give up or to begin anew: what is landed may be there already, and would be merged a second time.
    #[error(
        "the work is being landed, and `{target}` may hold it already: wait for it; where the pipeline is paused, resume it, and where it is blocked, `retry`, which looks there first"
    )]
    MayHaveLanded {
        /// The target.
        target: BranchName,
    },
    /// State and definition, or state and report, do not fit together: a fault of ours, or a damaged store.
    #[error("the pipeline is inconsistent: {what}")]
    Inconsistent {
        /// What does not fit.
        what: String,
    },
}
