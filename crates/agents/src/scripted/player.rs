//! Plays one run of a scenario.

use std::{collections::BTreeMap, io::Write, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use domain::run::AgentEvent;

use super::{
    events::{Voice, answered, called},
    files,
    processes::Place,
    scenario::{Step, fill},
    select,
};

/// Exit code of a run in which a step failed.
const STEP_FAILED: u8 = 1;
/// Exit code where there is nothing to play, as `EX_USAGE`.
const NOTHING_TO_PLAY: u8 = 64;

/// What to play, and for whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// A built-in scenario's name, or the absolute path of a file.
    pub scenario: String,
    /// The working directory.
    pub workspace: Utf8PathBuf,
    /// The environment: `GATEWRIGHT_ROLE`, `GATEWRIGHT_ATTEMPT`, `HOME`, `PATH` and the rest. Commands get it as it is.
    pub vars: BTreeMap<String, String>,
}

/// Plays the run that fits the environment and returns its exit code. Events go to `out` as JSON lines; what went
/// wrong goes to `err`.
pub fn play(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let played = select::load(&options.scenario).and_then(|scenario| {
        let run = select::run(&options.scenario, &scenario, &options.vars)?;
        let mut player = Player { options, voice: Voice::new(out), err };
        Ok(player.steps(&run.steps))
    });
    let (code, message) = match played {
        Ok(Ok(())) => return 0,
        Ok(Err(Stop::Exit(code))) => return code,
        Ok(Err(Stop::Failed(reason))) => (STEP_FAILED, reason),
        Err(error) => {
            let source =
                std::error::Error::source(&error).map(|it| format!(": {it}")).unwrap_or_default();
            (NOTHING_TO_PLAY, format!("{error}{source}"))
        }
    };
    // Nobody is left to tell if this fails too.
    drop(writeln!(err, "{message}"));
    code
}

/// Why the steps do not go on.
enum Stop {
    Exit(u8),
    Failed(String),
}

struct Player<'a> {
    options: &'a Options,
    voice: Voice<'a>,
    err: &'a mut dyn Write,
}

impl<'a> Player<'a> {
    fn steps(&mut self, steps: &[Step]) -> Result<(), Stop> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let vars = &self.options.vars;
        // What is said aloud may name a variable that is missing: it is then said as it stands.
        let spoken =
            self.voice.say(step, |text| fill(text, vars).unwrap_or_else(|_| text.to_owned()));
        if let Some(said) = spoken {
            return said.map_err(failed("print"));
        }
        match step {
            Step::Write { path, content } => {
                let (file, content) = (self.path(path)?, self.filled(content)?);
                self.reported("write", path, || {
                    files::write(&file, &content).map_err(failed("write"))
                })
            }
            Step::Append { path, content } => {
                let (file, content) = (self.path(path)?, self.filled(content)?);
                self.reported("edit", path, || {
                    files::append(&file, &content).map_err(failed("append"))
                })
            }
            Step::Edit { path, replace, with } => {
                let (file, replace, with) =
                    (self.path(path)?, self.filled(replace)?, self.filled(with)?);
                self.reported("edit", path, || {
                    files::edit(&file, &replace, &with).map_err(failed("edit"))
                })
            }
            Step::Delete(path) => {
                let file = self.path(path)?;
                self.reported("delete", path, || files::delete(&file).map_err(failed("delete")))
            }
            Step::Run { command, expect } => self.run(command, *expect),
            Step::Commit(message) => {
                let message = self.filled(message)?;
                let place = self.place();
                self.reported("commit", &message, || place.commit(&message).map_err(Stop::Failed))
            }
            Step::BriefContains(words) => self.brief_contains(words),
            Step::Complain(line) => writeln!(self.err, "{line}").map_err(failed("print")),
            Step::PrintEnvironment {} => vars.iter().try_for_each(|(name, value)| {
                let event = AgentEvent::Text { text: format!("{name}={value}") };
                self.voice.event(&event).map_err(failed("print"))
            }),
            Step::SleepMs(ms) => {
                std::thread::sleep(Duration::from_millis(*ms));
                Ok(())
            }
            Step::Exit(code) => Err(Stop::Exit(*code)),
            Step::Hang {} => loop {
                std::thread::park();
            },
            Step::Exec(command) => {
                Err(failed("become another program")(self.place().exec(command)))
            }
            Step::Daemon { command, holds_output } => {
                self.place().daemon(command, *holds_output).map_err(failed("leave a daemon"))
            }
            Step::Once { name, steps } => {
                let home =
                    vars.get("HOME").ok_or_else(|| Stop::Failed("HOME is not set".to_owned()))?;
                let new = files::mark(Utf8Path::new(home), name)
                    .map_err(failed("leave a marker in HOME"))?;
                if new { self.steps(steps) } else { Ok(()) }
            }
            Step::Try(steps) => match self.steps(steps) {
                Err(Stop::Failed(reason)) => self
                    .voice
                    .event(&AgentEvent::Text { text: format!("That did not work: {reason}") })
                    .map_err(failed("print")),
                end => end,
            },
            Step::Repeat { times, steps } => {
                let mut played = 0;
                while times.is_none_or(|times| played < times) {
                    self.steps(steps)?;
                    played += 1;
                }
                Ok(())
            }
            Step::Started { .. }
            | Step::Finished {}
            | Step::Say(_)
            | Step::Think {}
            | Step::Tool { .. }
            | Step::Spend { .. }
            | Step::Error(_)
            | Step::Retrying { .. }
            | Step::RateLimited { .. }
            | Step::Raw { .. } => Ok(()),
        }
    }

    /// Tells of something as a tool call, does it, and tells how it went.
    fn reported(
        &mut self,
        tool: &str,
        what: &str,
        act: impl FnOnce() -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let input = self.filled(what)?;
        self.voice.event(&called(tool.to_owned(), input)).map_err(failed("print"))?;
        let done = act();
        self.voice.event(&answered(done.is_ok(), 0)).map_err(failed("print"))?;
        done
    }

    fn run(&mut self, command: &[String], expect: i32) -> Result<(), Stop> {
        let argv = command.iter().map(|word| self.filled(word)).collect::<Result<Vec<_>, _>>()?;
        let line = argv.join(" ");
        self.voice.event(&called("shell".to_owned(), line.clone())).map_err(failed("print"))?;
        let ended = self.place().run(&argv).map_err(failed("run a command"))?;
        let result = answered(ended.code == Some(0), ended.size);
        self.voice.event(&result).map_err(failed("print"))?;
        if ended.code == Some(expect) {
            return Ok(());
        }
        let found = ended.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        Err(Stop::Failed(format!(
            "`{line}` ended with {found} in place of {expect}: {}",
            ended.last_line
        )))
    }

    fn brief_contains(&mut self, words: &str) -> Result<(), Stop> {
        let file = self
            .options
            .vars
            .get("GATEWRIGHT_BRIEF")
            .ok_or_else(|| Stop::Failed("GATEWRIGHT_BRIEF is not set".to_owned()))?;
        let words = self.filled(words)?;
        self.voice.event(&called("read".to_owned(), file.clone())).map_err(failed("print"))?;
        let brief = std::fs::read_to_string(file).map_err(failed("read the brief"))?;
        let size = brief.len() as u64;
        self.voice.event(&answered(true, size)).map_err(failed("print"))?;
        if brief.contains(&words) {
            Ok(())
        } else {
            Err(Stop::Failed(format!("the brief does not say `{words}`")))
        }
    }

    fn filled(&self, text: &str) -> Result<String, Stop> {
        fill(text, &self.options.vars)
            .map_err(|variable| Stop::Failed(format!("{variable} is not set")))
    }

    fn path(&self, path: &str) -> Result<Utf8PathBuf, Stop> {
        Ok(self.options.workspace.join(self.filled(path)?))
    }

    fn place(&self) -> Place<'a> {
        Place { workspace: &self.options.workspace, vars: &self.options.vars }
    }
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Stop {
    move |error| Stop::Failed(format!("could not {what}: {error}"))
}
