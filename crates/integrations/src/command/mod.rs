//! `kind = "command"`: a program that is given each letter on its standard input.
//!
//! It may be given a letter twice: `GATEWRIGHT_LETTER_KEY` is the same then, and the program's to use. It runs in a
//! process group of its own, which ends with it, as does what it has started in a session of its own; a delivery that is
//! dropped kills them all.

mod group;
mod offspring;
mod talk;
mod verdict;

use std::{collections::BTreeMap, process::Stdio};

use async_trait::async_trait;
use camino::Utf8PathBuf;
use domain::{outbox::Letter, pipeline::EventKindTag, secrets::Secrets};
use offspring::Mark;
use ports::{Delivery, Destination};
use talk::{Ended, talk};
use tokio::process::Command;
use verdict::verdict;

use crate::message;

/// What is kept in place of a secret.
const MASK: &str = "********";

/// A program that letters are given to.
#[derive(Clone)]
pub struct CommandOptions {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    /// Where it runs.
    pub directory: Utf8PathBuf,
    /// Where programs are looked up.
    pub path: String,
    /// Its environment besides: what is not named here it does not see.
    pub env: BTreeMap<String, String>,
    /// Environment that must not be repeated in what is kept of its words.
    pub secrets: BTreeMap<String, String>,
}

/// A program that letters are given to. Has no `Debug`: it holds secrets.
pub struct CommandDestination {
    options: CommandOptions,
}

impl CommandDestination {
    /// That program.
    #[must_use]
    pub const fn new(options: CommandOptions) -> Self {
        Self { options }
    }

    fn command(&self, letter: &Letter, mark: &Mark) -> Option<Command> {
        let CommandOptions { command: line, directory, path, env, secrets } = &self.options;
        let (program, arguments) = line.split_first()?;
        let mut command = Command::new(program);
        let (mark, value) = mark.variable();
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .envs(env)
            .envs(secrets)
            .env("GATEWRIGHT_LETTER_KEY", letter.key())
            .env("GATEWRIGHT_LETTER_ID", letter.id.to_string())
            .env("GATEWRIGHT_DESTINATION", letter.destination.as_str())
            .env("GATEWRIGHT_ITEM", letter.item.to_string())
            .env("GATEWRIGHT_EVENT", EventKindTag::from(&letter.event.kind).to_string())
            .env(mark, value)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Some(command)
    }
}

#[async_trait]
impl Destination for CommandDestination {
    async fn deliver(&self, letter: &Letter) -> Delivery {
        let retry = |why: String| Delivery::Retry { why, after: None };
        let line = match message::line(letter) {
            Ok(line) => format!("{line}\n"),
            Err(error) => {
                return Delivery::Refused { why: format!("could not write it as JSON: {error}") };
            }
        };
        let mark = Mark::new(&letter.key());
        let Some(mut command) = self.command(letter, &mark) else {
            return retry("its `command` is empty".to_owned());
        };
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let program = self.options.command.first().map_or("", String::as_str);
                return retry(format!("could not start `{program}`: {error}"));
            }
        };
        let secrets = self.options.secrets.values();
        let secrets = Secrets::new(secrets.map(|secret| (secret.as_str(), MASK.to_owned())));
        match talk(child, line.as_bytes(), &secrets, mark).await {
            Ok(Ended { status, stdout, stderr }) => verdict(status, &stdout, &stderr),
            Err(error) => retry(format!("could not talk to the command: {error}")),
        }
    }
}
