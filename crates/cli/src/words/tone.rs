//! How words are coloured. Colour repeats what they say.

use comfy_table::{Attribute, Cell, Color};
use domain::{
    pipeline::{AttemptState, PipelineStateTag},
    verdict::VerdictOutcome,
};
use owo_colors::{OwoColorize as _, Stream};

/// What words mean to whoever reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// Somebody should look.
    Attention,
    /// Of lesser interest.
    Quiet,
    /// Nothing of these.
    Plain,
}

impl Tone {
    /// A cell of a table in the colour of the tone; the table knows whether colours are shown.
    pub(crate) fn cell(self, content: impl ToString) -> Cell {
        let cell = Cell::new(content);
        match self {
            Self::Good => cell.fg(Color::Green),
            Self::Bad => cell.fg(Color::Red),
            Self::Attention => cell.fg(Color::Yellow),
            Self::Quiet => cell.add_attribute(Attribute::Dim),
            Self::Plain => cell,
        }
    }
}

/// `text` in the colour of its tone, where `stream` shows colours.
pub(crate) fn paint(stream: Stream, tone: Tone, text: &str) -> String {
    match tone {
        Tone::Good => text.if_supports_color(stream, |it| it.green()).to_string(),
        Tone::Bad => text.if_supports_color(stream, |it| it.red()).to_string(),
        Tone::Attention => text.if_supports_color(stream, |it| it.yellow()).to_string(),
        Tone::Quiet => text.if_supports_color(stream, |it| it.dimmed()).to_string(),
        Tone::Plain => text.to_owned(),
    }
}

/// Whether `stream` shows colours.
pub(crate) fn has_colours(stream: Stream) -> bool {
    paint(stream, Tone::Good, "x") != "x"
}

pub(crate) const fn tone_of_status(status: PipelineStateTag) -> Tone {
    match status {
        PipelineStateTag::Queued => Tone::Quiet,
        PipelineStateTag::Running => Tone::Plain,
        PipelineStateTag::AwaitingHuman | PipelineStateTag::Blocked | PipelineStateTag::Paused => {
            Tone::Attention
        }
        PipelineStateTag::Succeeded => Tone::Good,
        PipelineStateTag::Failed | PipelineStateTag::Cancelled => Tone::Bad,
    }
}

pub(crate) const fn tone_of_verdict(outcome: VerdictOutcome) -> Tone {
    match outcome {
        VerdictOutcome::Pass => Tone::Good,
        VerdictOutcome::Fail => Tone::Bad,
        VerdictOutcome::Error | VerdictOutcome::Waived => Tone::Attention,
    }
}

pub(crate) const fn tone_of_attempt(state: AttemptState) -> Tone {
    match state {
        AttemptState::Pending | AttemptState::Skipped => Tone::Quiet,
        AttemptState::Running | AttemptState::Gating => Tone::Plain,
        AttemptState::AwaitingHuman | AttemptState::SentBack => Tone::Attention,
        AttemptState::Passed => Tone::Good,
        AttemptState::Failed => Tone::Bad,
    }
}
