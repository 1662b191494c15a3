//! `gatewright init`

use std::{fs::OpenOptions, io::Write as _};

use camino::Utf8PathBuf;
use clap::Args;
use config::{
    AgentKind,
    detect::{self, RepositoryFiles},
    init::{self, InitAgent, InitAnswers},
};

use crate::{
    called::gatewright, context::Context, error::CliError, exit::ExitStatus, output, repository,
    wiring,
};

/// Bytes of a build file that are read.
const BUILD_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Agents that are looked for: the variable that usually has their key, and the file below the home directory that
/// says that they are logged in by themselves.
const AGENTS: &[(AgentKind, &str, &str)] = &[
    (AgentKind::Claude, "ANTHROPIC_API_KEY", ".claude/.credentials.json"),
    (AgentKind::Codex, "OPENAI_API_KEY", ".codex/auth.json"),
];

/// Look at a repository and write a gatewright.toml that works; never overwrites
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The repository [default: the one around the working directory]
    dir: Option<Utf8PathBuf>,
}

/// The files of a work tree.
pub(crate) struct Tree {
    pub(crate) root: Utf8PathBuf,
}

impl RepositoryFiles for Tree {
    fn read(&self, path: &str) -> Option<String> {
        let path = self.root.join(path);
        let is_small =
            path.metadata().is_ok_and(|it| it.is_file() && it.len() <= BUILD_FILE_BYTES_MAX);
        if is_small { std::fs::read_to_string(path).ok() } else { None }
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}

impl Init {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let git = wiring::git(context, &context.cwd).await?;
        let repository = repository::find(context, &git, self.dir.as_deref()).await?;
        let tree = Tree { root: repository.root.clone() };
        let detected = detect::detect(&tree);
        let name = repository.root.file_name().unwrap_or("project").to_owned();
        let mut agents = Vec::new();
        let home = context.home.clone().unwrap_or_default();
        for (kind, variable, login) in AGENTS {
            if on_path(context, &kind.to_string()) {
                let key_variable = context.secret(variable).map(|_| (*variable).to_owned());
                agents.push(InitAgent {
                    kind: *kind,
                    key_variable,
                    has_login: home.join(login).is_file(),
                });
            }
        }
        let read = detected
            .home_places
            .iter()
            .filter(|place| home.join(place).exists())
            .map(|place| format!("~/{place}"))
            .collect();
        let answers = InitAnswers {
            key: detect::project_key(&name),
            name,
            default_branch: repository.branch.clone(),
            test_command: detected.test_command.clone(),
            agents,
            read,
        };
        let text = init::render(&answers);
        let file = repository.root.join("gatewright.toml");
        write_new(&file, &text)?;
        if context.global.json {
            let body = serde_json::json!({
                "file": file, "test_command": answers.test_command.as_ref().map(|it| it.run.clone()), "languages": detected.languages,
            });
            output::json(&body);
            return Ok(ExitStatus::Success);
        }
        output::data(format_args!("wrote {file}"));
        match &answers.test_command {
            Some(command) => {
                output::data(format_args!("  tests:  {} ({})", command.run, command.why));
            }
            None => output::data(
                "  tests:  not found: set [gates] tests in the file, or pass --check to `run`",
            ),
        }
        for agent in &answers.agents {
            let how = match (&agent.key_variable, agent.has_login) {
                (Some(variable), _) => format!("with the key in {variable}"),
                (None, true) => {
                    "with its own login, lent read-only: whatever it runs can read it".to_owned()
                }
                (None, false) => "without a key or login yet: see the file".to_owned(),
            };
            output::data(format_args!("  agent:  {} {how}", agent.kind));
        }
        if answers.agents.is_empty() {
            output::data(
                "  agents: none found on PATH: install one, for example npm install -g @anthropic-ai/claude-code",
            );
        }
        output::data(format_args!("next: {0} doctor, then {0} run \"…\"", gatewright()));
        Ok(ExitStatus::Success)
    }
}

/// Creates the file; one that exists stays as it is.
fn write_new(file: &camino::Utf8Path, text: &str) -> Result<(), CliError> {
    let created = OpenOptions::new().write(true).create_new(true).open(file);
    let mut created = created.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::usage(format!(
            "{file} exists already and is never overwritten"
        ))
        .help(format!(
            "edit it, or remove it first; `{} config check` says whether it is right",
            gatewright()
        )),
        _ => CliError::new(format!("could not create {file}: {error}")),
    })?;
    created
        .write_all(text.as_bytes())
        .map_err(|error| CliError::new(format!("could not write {file}: {error}")))
}

/// Whether a program of that name is on PATH.
pub(crate) fn on_path(context: &Context, program: &str) -> bool {
    context
        .path
        .split(':')
        .filter(|dir| !dir.is_empty())
        .any(|dir| Utf8PathBuf::from(dir).join(program).is_file())
}
