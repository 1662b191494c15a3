//! What the fake model does, in order.

use serde::Deserialize;

/// One answer of the model.
///
/// `Fail`, `CutStream` and `Hang` are troubles: they leave no trace in a conversation. Each happens once, to the
/// first request that meets it, whichever conversation that belongs to; the next request gets the turn after it.
/// Only a trouble at the end of a list never passes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Turn {
    /// Has the agent run a shell command.
    Shell(String),
    /// Has the agent write a file, by way of its shell: at most about 100 kB.
    WriteFile {
        /// Relative to the agent's working directory.
        path: String,
        /// The whole content, byte for byte.
        content: String,
    },
    /// Says something, which ends the agent's run.
    Say(String),
    /// Answers with an HTTP error.
    Fail {
        /// From 400 to 599.
        status: u16,
        /// The header `retry-after`.
        #[serde(default)]
        retry_after_seconds: Option<u32>,
        /// The body, in place of the one that the protocol has for this status.
        #[serde(default)]
        body: Option<String>,
    },
    /// Begins an answer and drops the connection.
    CutStream,
    /// Takes the request and never answers.
    Hang,
}

impl Turn {
    /// [`Turn::Shell`].
    pub fn shell(command: impl Into<String>) -> Self {
        Self::Shell(command.into())
    }

    /// [`Turn::WriteFile`].
    pub fn write_file(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self::WriteFile { path: path.into(), content: content.into() }
    }

    /// [`Turn::Say`].
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(text.into())
    }

    /// [`Turn::Fail`] with the protocol's own body.
    pub fn fail(status: u16) -> Self {
        Self::Fail { status, retry_after_seconds: None, body: None }
    }

    pub(super) fn is_trouble(&self) -> bool {
        match self {
            Self::Fail { .. } | Self::CutStream | Self::Hang => true,
            Self::Shell(_) | Self::WriteFile { .. } | Self::Say(_) => false,
        }
    }

    fn check(&self) -> Result<(), ScriptError> {
        match self {
            Self::Fail { status, .. } if !(400..=599).contains(status) => {
                Err(ScriptError::Status(*status))
            }
            Self::Shell(_)
            | Self::WriteFile { .. }
            | Self::Say(_)
            | Self::Fail { .. }
            | Self::CutStream
            | Self::Hang => Ok(()),
        }
    }
}

/// The tokens that every answer claims to have used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallUsage {
    /// Prompt tokens outside any cache.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// Prompt tokens read from the cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to the cache; the Responses protocol does not tell them.
    pub cache_creation_tokens: u64,
}

impl Default for CallUsage {
    fn default() -> Self {
        Self {
            input_tokens: 1200,
            output_tokens: 42,
            cache_read_tokens: 500,
            cache_creation_tokens: 30,
        }
    }
}

/// Why a script cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It is not TOML of the right shape.
    #[error("could not read the script")]
    Syntax(#[from] toml::de::Error),
    /// A failure that is none.
    #[error("a failure has a status from 400 to 599, not {0}")]
    Status(u16),
    /// A case that would swallow all others.
    #[error("`when` needs a text to look for")]
    EmptyText,
}

/// Who hears what.
///
/// As TOML:
///
/// ```toml
/// turns = [{ shell = "tests/run.sh" }, { fail = { status = 429, retry_after_seconds = 1 } }, { say = "Done." }]
///
/// [[when]]
/// text = "role: reviewer"
/// turns = [{ write_file = { path = "review.md", content = "fine\n" } }, "cut_stream", { say = "Reviewed." }]
///
/// [usage]
/// input_tokens = 1000
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    pub(super) turns: Vec<Turn>,
    pub(super) when: Vec<Case>,
    pub(super) usage: CallUsage,
}

/// Turns for conversations that begin in a certain way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) text: String,
    pub(super) turns: Vec<Turn>,
}

impl Script {
    /// The turns of every conversation that no [`Script::when`] is for. After the last one the model says that it is done.
    ///
    /// # Panics
    /// A failure with a status that is none.
    #[must_use]
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: turns.into_iter().collect(), ..Self::default() }.checked()
    }

    /// Other turns for conversations whose first user message contains `text`; the first case that fits is taken.
    ///
    /// # Panics
    /// As [`Script::new`]; an empty text.
    #[must_use]
    pub fn when(mut self, text: impl Into<String>, turns: impl IntoIterator<Item = Turn>) -> Self {
        self.when.push(Case { text: text.into(), turns: turns.into_iter().collect() });
        self.checked()
    }

    /// What every answer claims to have used.
    #[must_use]
    pub fn usage(mut self, usage: CallUsage) -> Self {
        self.usage = usage;
        self
    }

    /// Reads a script from TOML.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text)?;
        script.check()?;
        Ok(script)
    }

    fn check(&self) -> Result<(), ScriptError> {
        let Self { turns, when, usage: _ } = self;
        if when.iter().any(|case| case.text.is_empty()) {
            return Err(ScriptError::EmptyText);
        }
        turns.iter().chain(when.iter().flat_map(|case| &case.turns)).try_for_each(Turn::check)
    }

    fn checked(self) -> Self {
        match self.check() {
            Ok(()) => self,
            Err(error) => panic!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_can_be_written_as_toml() {
        let script = Script::parse(
            r#"
            turns = [
                { shell = "true" },
                { write_file = { path = "a b", content = "c\n" } },
                { fail = { status = 429, retry_after_seconds = 2 } },
                "cut_stream",
                { say = "done" },
                "hang",
            ]
            [[when]]
            text = "role: reviewer"
            turns = [{ fail = { status = 500, body = "{}" } }]
            [usage]
            input_tokens = 7
            "#,
        )
        .unwrap();
        let expected = Script::new([
            Turn::shell("true"),
            Turn::write_file("a b", "c\n"),
            Turn::Fail { status: 429, retry_after_seconds: Some(2), body: None },
            Turn::CutStream,
            Turn::say("done"),
            Turn::Hang,
        ])
        .when(
            "role: reviewer",
            [Turn::Fail { status: 500, retry_after_seconds: None, body: Some("{}".to_owned()) }],
        )
        .usage(CallUsage { input_tokens: 7, ..CallUsage::default() });
        assert_eq!(script, expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "turns = [{ fail = { status = 200 } }]",
            "turns = [{ fail = { status = 429, retry_after = 1 } }]",
            "turns = [\"explode\"]",
            "[[when]]\ntext = \"\"\nturns = []",
            "turn = []",
        ] {
            Script::parse(text).unwrap_err();
        }
    }
}
