//! The format of a scenario file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// Steps nested deeper than this are a mistake.
pub(super) const NESTING_MAX: usize = 8;

/// A file of runs. The first whose conditions all hold is played; an absent condition holds always.
///
/// ```toml
/// description = "Adds a file, the second time with a mistake mended."
/// expect = "succeeds at the second attempt"
///
/// [[run]]
/// role = "developer"
/// attempt = 1
///
/// [[run.step]]
/// write = { path = "notes.txt", content = "for {item}\n" }
///
/// [[run.step]]
/// commit = "{item}: add notes"
/// ```
///
/// `{item}`, `{title}`, `{pipeline}`, `{stage}`, `{role}` and `{attempt}` in texts, paths and commands stand for the
/// variable `GATEWRIGHT_ITEM` and so on; other braces are left as they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it plays, one line.
    pub description: String,
    /// What should come of it, one line.
    pub expect: String,
    /// What is done, by whom and when.
    #[serde(rename = "run")]
    pub runs: Vec<ScenarioRun>,
}

/// The steps of one run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioRun {
    /// Only in this role.
    pub role: Option<String>,
    /// Only in this stage.
    pub stage: Option<String>,
    /// Only at this attempt of the stage.
    pub attempt: Option<u32>,
    /// What is done, in order. At the end of the steps the player exits with 0.
    #[serde(rename = "step", default)]
    pub steps: Vec<Step>,
}

/// One thing to do. A step that fails ends the run with exit code 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Says that it is up.
    Started {
        /// The conversation.
        session: Option<String>,
    },
    /// Says that it has ended. It goes on with the next step all the same.
    Finished {},
    /// Says something.
    Say(String),
    /// Thinks.
    Think {},
    /// Claims a tool call that it does not make.
    Tool {
        /// The tool.
        name: String,
        /// Its arguments.
        input: String,
    },
    /// Adds to what it used, and tells the total.
    Spend {
        /// Input tokens.
        #[serde(default)]
        input: u64,
        /// Output tokens.
        #[serde(default)]
        output: u64,
        /// Tokens from a cache.
        #[serde(default)]
        cached: u64,
        /// Dollars.
        cost_usd: Option<f64>,
    },
    /// Reports an error.
    Error(String),
    /// Reports that its client tries again.
    Retrying {
        /// The HTTP status.
        status: Option<u16>,
        /// The wait that the provider asked for.
        after_ms: Option<u64>,
        /// From 1.
        attempt: u32,
    },
    /// Reports a spent quota window.
    RateLimited {
        /// When it opens.
        until: Option<Timestamp>,
    },

    /// Writes a file; its directories are made. Any path: what may be written is not the agent's to decide.
    Write {
        /// Relative to the workspace, or absolute.
        path: String,
        /// All of it.
        content: String,
    },
    /// Adds to the end of a file.
    Append {
        /// Relative to the workspace, or absolute.
        path: String,
        /// What is added.
        content: String,
    },
    /// Changes a passage of a file. Played again on the changed file it does nothing.
    Edit {
        /// Relative to the workspace, or absolute.
        path: String,
        /// What is there; the first such passage is meant.
        replace: String,
        /// What comes in its place.
        with: String,
    },
    /// Deletes a file.
    Delete(String),
    /// Runs a command and tells of it as a tool call.
    Run {
        /// Program and arguments.
        command: Vec<String>,
        /// The exit code that it must have.
        #[serde(default)]
        expect: i32,
    },
    /// Commits everything, if there is anything.
    Commit(String),
    /// Fails unless the brief has these words.
    BriefContains(String),

    /// Prints bytes as they are, without a newline of its own.
    Raw {
        /// As text.
        text: Option<String>,
        /// Or in hexadecimal, white space ignored.
        hex: Option<String>,
        /// How often.
        #[serde(default = "once")]
        times: u64,
    },
    /// Prints a line on standard error.
    Complain(String),
    /// Prints every variable that it was given.
    PrintEnvironment {},
    /// Waits.
    SleepMs(u64),

    /// Ends at once, without `finished`.
    Exit(u8),
    /// Does nothing for ever.
    Hang {},
    /// Becomes another program.
    Exec(Vec<String>),
    /// Starts a program in a process group of its own and leaves it behind.
    Daemon {
        /// Program and arguments.
        command: Vec<String>,
        /// It keeps our standard output open.
        #[serde(default)]
        holds_output: bool,
    },

    /// Does the steps the first time only, in whichever run of this home that is.
    Once {
        /// Names the marker file in the home.
        name: String,
        /// What is done.
        steps: Vec<Step>,
    },
    /// Does the steps; goes on where one fails.
    Try(Vec<Step>),
    /// Does the steps again and again.
    Repeat {
        /// How often; without end where absent.
        times: Option<u64>,
        /// What is done.
        steps: Vec<Step>,
    },
}

const fn once() -> u64 {
    1
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither a file nor a name.
    #[error("there is no scenario `{name}`; known are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The built-in ones.
        known: String,
    },
    /// The file cannot be read.
    #[error("could not read the scenario {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a scenario.
    #[error("the scenario {name} is not valid: {reason}")]
    Invalid {
        /// Its name or file.
        name: String,
        /// Where, and what is wrong.
        reason: String,
    },
    /// It has no run for this occasion.
    #[error("the scenario {name} has no run for role `{role}`, stage `{stage}`, attempt {attempt}")]
    NoRun {
        /// Its name or file.
        name: String,
        /// The role.
        role: String,
        /// The stage.
        stage: String,
        /// The attempt.
        attempt: u32,
    },
}

impl Scenario {
    /// Reads a scenario. `name` is for messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let invalid = |reason: String| ScenarioError::Invalid { name: name.to_owned(), reason };
        let scenario: Self = toml::from_str(text).map_err(|e| invalid(e.to_string()))?;
        for run in &scenario.runs {
            check(&run.steps, 0).map_err(invalid)?;
        }
        Ok(scenario)
    }
}

fn check(steps: &[Step], depth: usize) -> Result<(), String> {
    if depth > NESTING_MAX {
        return Err(format!("steps are nested deeper than {NESTING_MAX} levels"));
    }
    for step in steps {
        match step {
            Step::Once { steps, .. } | Step::Try(steps) | Step::Repeat { steps, .. } => {
                check(steps, depth + 1)?;
            }
            Step::Run { command, .. } | Step::Exec(command) | Step::Daemon { command, .. }
                if command.is_empty() =>
            {
                return Err("a command is empty".to_owned());
            }
            Step::Raw { text, hex, .. } => {
                if text.is_some() == hex.is_some() {
                    return Err("`raw` needs either `text` or `hex`".to_owned());
                }
                if let Some(hex) = hex {
                    bytes(hex).ok_or_else(|| format!("`{hex}` is not hexadecimal"))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The bytes of a hexadecimal text.
pub(super) fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = hex
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let byte = |pair: &[u32]| {
        if let [high, low] = pair { u8::try_from(high * 16 + low).ok() } else { None }
    };
    digits.chunks(2).map(byte).collect()
}

/// The variables that a text may name, and the environment that they come from.
pub(super) const PLACEHOLDERS: &[(&str, &str)] = &[
    ("{item}", "GATEWRIGHT_ITEM"),
    ("{title}", "GATEWRIGHT_TITLE"),
    ("{pipeline}", "GATEWRIGHT_PIPELINE"),
    ("{stage}", "GATEWRIGHT_STAGE"),
    ("{role}", "GATEWRIGHT_ROLE"),
    ("{attempt}", "GATEWRIGHT_ATTEMPT"),
];

/// `text` with its placeholders filled in from `vars`; the name of the variable that is missing otherwise.
pub(super) fn fill(text: &str, vars: &BTreeMap<String, String>) -> Result<String, &'static str> {
    let mut filled = text.to_owned();
    for &(placeholder, variable) in PLACEHOLDERS {
        if filled.contains(placeholder) {
            filled = filled.replace(placeholder, vars.get(variable).ok_or(variable)?);
        }
    }
    Ok(filled)
}
