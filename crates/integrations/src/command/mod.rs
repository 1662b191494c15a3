//! `kind = "command"`: a program that is given each letter on its standard input.
//!
//! It may be given a letter twice: `GATEWRIGHT_LETTER_KEY` is the same then, and the program's to use. It runs under an
//! *usher*, a process of ours that ends it and whatever it has started: when it has ended, when its time is over, and when
//! the delivery is dropped or the orchestrator is gone. What is left where the usher was killed as well ends before the next
//! delivery begins.

mod mark;
mod processes;
mod report;
mod talk;
mod usher;
mod verdict;

use std::{collections::BTreeMap, io, process::Stdio, time::Duration};

use async_trait::async_trait;
use camino::Utf8PathBuf;
use domain::{
    limits::DELIVERY_TIME_LIMIT, outbox::Letter, pipeline::EventKindTag, secrets::Secrets,
};
use mark::Mark;
use ports::{Delivery, Destination};
use report::{Report, Said};
use talk::talk;
use tokio::{process::Command, task};
pub use usher::usher;
use verdict::verdict;

use crate::message;

/// What is kept in place of a secret.
const MASK: &str = "********";
/// How long a command has for an orchestrator that does not say that the time is over: a little longer than for one that does.
const USHER_TIME_LIMIT: Duration = DELIVERY_TIME_LIMIT.saturating_add(Duration::from_secs(1));

/// A program that letters are given to.
#[derive(Clone)]
pub struct CommandOptions {
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    /// The program, with its first arguments, that does nothing but call [`usher`] with the rest of them.
    pub usher: Vec<String>,
    /// Whose letters these are: nothing of another data directory's deliveries is ever ended.
    pub data_dir: Utf8PathBuf,
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

    async fn try_to_deliver(&self, letter: &Letter, line: &[u8]) -> io::Result<Delivery> {
        let Some(program) = self.options.command.first() else {
            return Err(io::Error::other("its `command` is empty"));
        };
        let mark = self.end_earlier(letter).await?;
        let usher = self.usher(letter, &mark)?.spawn().map_err(|error| {
            let directory = &self.options.directory;
            io::Error::new(
                error.kind(),
                format!("could not start the usher of `{program}` in {directory}: {error}"),
            )
        })?;
        match talk(usher, line).await {
            Ok(Report { end, stdout, stderr }) => {
                Ok(verdict(program, end, &self.words(&stdout), &self.words(&stderr)))
            }
            Err(error) => {
                // It was killed, and its command may not have been.
                task::spawn_blocking(move || mark.end_own()).await??;
                let why = format!("could not learn what became of `{program}`: {error}");
                Err(io::Error::new(error.kind(), why))
            }
        }
    }

    /// Ends what is left of any earlier delivery, and gives the mark of the next one.
    async fn end_earlier(&self, letter: &Letter) -> io::Result<Mark> {
        let data_dir = &self.options.data_dir;
        let mark = Mark::new(data_dir, letter).map_err(|error| {
            io::Error::new(error.kind(), format!("could not look at {data_dir}: {error}"))
        })?;
        let earlier = mark.clone();
        task::spawn_blocking(move || earlier.end_earlier()).await??;
        Ok(mark)
    }

    fn usher(&self, letter: &Letter, mark: &Mark) -> io::Result<Command> {
        let CommandOptions { command: line, usher, directory, path, env, secrets, data_dir: _ } =
            &self.options;
        let (program, arguments) =
            usher.split_first().ok_or_else(|| io::Error::other("there is no usher to start"))?;
        let mut command = Command::new(program);
        let (mark, value) = mark.variable();
        command
            .args(arguments)
            .arg(USHER_TIME_LIMIT.as_millis().to_string())
            .args(line)
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
            .stderr(Stdio::null())
            // From its first moment: whoever ends what is left of it ends its group.
            .process_group(0)
            // It ends by itself when it is let go of, and its command with it.
            .kill_on_drop(false);
        Ok(command)
    }

    /// What the command said, without the secrets that it was given.
    fn words(&self, said: &Said) -> String {
        let secrets = self.options.secrets.values();
        let secrets = Secrets::new(secrets.map(|secret| (secret.as_str(), MASK.to_owned())));
        if said.is_whole { secrets.hide(&said.text) } else { secrets.hide_in_beginning(&said.text) }
    }
}

#[async_trait]
impl Destination for CommandDestination {
    async fn deliver(&self, letter: &Letter) -> Delivery {
        let line = match message::line(letter) {
            Ok(line) => format!("{line}\n"),
            Err(error) => {
                return Delivery::Refused { why: format!("could not write it as JSON: {error}") };
            }
        };
        let delivery = self.try_to_deliver(letter, line.as_bytes()).await;
        delivery.unwrap_or_else(|error| Delivery::Retry { why: error.to_string(), after: None })
    }

    async fn abandon(&self, letter: &Letter) {
        if let Err(error) = self.end_earlier(letter).await {
            tracing::warn!(letter.id = %letter.id, "could not end what is left of a delivery: {error}");
        }
    }
}
