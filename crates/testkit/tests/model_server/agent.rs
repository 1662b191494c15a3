//! A place for a CLI to work in, and what it left there.

use std::{process::Command, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{agent_cli, repository::Repository};

/// Far more than a run takes. It is there for a CLI that loops.
const LIMIT: Duration = Duration::from_mins(2);

pub(crate) struct Workplace {
    pub(crate) repository: Repository,
    home: TempDir,
}

/// What a CLI said, and how it ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) events: Vec<Value>,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        // Not the system's temporary directory: Codex refuses to keep its helpers there.
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { repository: Repository::greet(), home }
    }

    pub(crate) fn home(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.home.path().to_owned()).unwrap()
    }

    pub(crate) fn command(&self, program: &Utf8Path) -> Command {
        let mut command = agent_cli::scrubbed(program, &self.home());
        command.current_dir(self.repository.path());
        command
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.repository.path().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let finished = agent_cli::run(command, LIMIT).unwrap();
        let status =
            finished.status.unwrap_or_else(|| panic!("no end after {LIMIT:?}: {finished:?}"));
        let event = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {finished:?}"))
        };
        Self { code: status.code(), events: finished.stdout.lines().map(event).collect() }
    }

    /// The events of a type.
    pub(crate) fn of_type(&self, name: &'static str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["type"] == name)
    }

    /// The only event of a type.
    pub(crate) fn only(&self, name: &'static str) -> &Value {
        let events: Vec<&Value> = self.of_type(name).collect();
        assert_eq!(events.len(), 1, "`{name}` in {:#?}", self.events);
        events[0]
    }
}
