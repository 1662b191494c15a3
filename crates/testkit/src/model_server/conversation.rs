//! What a request tells of its conversation, in neither protocol's words.

/// A request for the model's next turn.
pub(super) struct Conversation {
    /// Everything that was said to the model before it first spoke.
    pub(super) opening: String,
    /// How often the model has spoken or called a tool.
    pub(super) turns_taken: usize,
    /// Clients ask for titles and summaries without offering a tool; such a request is no part of the script.
    pub(super) offers_tools: bool,
    /// Whether the answer is to be a stream of events.
    pub(super) streamed: bool,
    /// The model that is asked for.
    pub(super) model: String,
}
