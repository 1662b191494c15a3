//! What the shape of `gatewright.toml` cannot say: names that refer to others, commands that are empty.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    name::{AgentName, GateName, ProjectKey, RoleName},
    path_rules,
};
use strum::VariantNames as _;

use crate::{
    document::Document,
    key_path::KeyPath,
    nearest::{did_you_mean, listed},
    problem::Problem,
    secret::SecretRef,
    settings::{
        AgentKind, Config, DestinationKind, DestinationSettings, ForgeKind, GateSettings,
        RoleSettings, TrackerKind,
    },
};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// Everything that is wrong or questionable in `config`.
pub(crate) fn check(config: &Config, document: &Document<'_>) -> Findings {
    let mut check = Check { config, document, found: Findings::default() };
    let top = KeyPath::default();
    check.database();
    check.agents();
    check.agent_name(config.agent.as_ref(), &top.key("agent"));
    check.roles(&config.roles, &top);
    check.gates(&config.gates, &top);
    check.env(&config.sandbox.env, &KeyPath::from(["sandbox"]));
    check.destinations();
    for (name, provider) in &config.providers {
        let path = top.key("providers").key(name);
        check.secret(provider.api_key.as_ref(), &path.key("api_key"));
        check.warn(
            &path,
            format!("provider `{name}` is not used in this version: agents call their own"),
        );
    }
    check.projects();
    check.found
}

struct Check<'a> {
    config: &'a Config,
    document: &'a Document<'a>,
    found: Findings,
}

impl Check<'_> {
    fn error(&mut self, path: &KeyPath, message: String, help: &str) {
        self.found.errors.push(self.document.problem_at(path, message).with_help(help));
    }

    fn warn(&mut self, path: &KeyPath, message: String) {
        self.found.warnings.push(self.document.problem_at(path, message));
    }

    fn database(&mut self) {
        let Some(database) = &self.config.database else { return };
        let path = KeyPath::from(["database"]);
        let is_postgres =
            database.starts_with("postgres://") || database.starts_with("postgresql://");
        if is_postgres {
            let message = "a PostgreSQL database is not available in this version".to_owned();
            self.error(&path, message, "use `database = \"sqlite\"`");
        } else if database != "sqlite" {
            let message =
                format!("`database` must be `sqlite`, not \"{}\"", database.escape_debug());
            self.error(&path, message, "`data_dir` says where it is kept");
        }
    }

    fn agents(&mut self) {
        for (name, agent) in &self.config.agents {
            let path = KeyPath::from(["agents"]).key(name.as_str());
            let empty = agent
                .command
                .as_ref()
                .is_some_and(|it| it.first().is_none_or(|program| program.trim().is_empty()));
            if empty {
                let help = "the program comes first: `command = [\"/srv/agents/dev.sh\"]`";
                self.error(
                    &path.key("command"),
                    format!("agent `{name}` has an empty `command`"),
                    help,
                );
            } else if agent.kind == AgentKind::Command && agent.command.is_none() {
                let help = "set `command = [\"/srv/agents/dev.sh\"]`";
                self.error(
                    &path,
                    format!("agent `{name}` is of kind `command` and has no `command`"),
                    help,
                );
            }
            self.env(&agent.env, &path);
        }
    }

    fn destinations(&mut self) {
        for (name, destination) in &self.config.destinations {
            let path = KeyPath::from(["destinations"]).key(name.as_str());
            let DestinationSettings { kind, path: file, command, env, env_from, projects, .. } =
                destination;
            let program = command.as_ref().map(|it| it.first().map_or("", |it| it.trim()));
            let is_set = |key: &str| match key {
                "path" => file.is_some(),
                "command" => command.is_some(),
                "env" => !env.is_empty(),
                _ => !env_from.is_empty(),
            };
            let (needed, others, help): (_, &[&str], _) = match kind {
                DestinationKind::File => (
                    "path",
                    &["command", "env", "env_from"],
                    "say where: `path = \"events.jsonl\"`",
                ),
                DestinationKind::Command => {
                    ("command", &["path"], "the program comes first: `command = [\"./notify.sh\"]`")
                }
            };
            if !is_set(needed) {
                let message =
                    format!("destination `{name}` is of kind `{kind}` and has no `{needed}`");
                self.error(&path, message, help);
            } else if program == Some("") {
                let message = format!("destination `{name}` has an empty `command`");
                self.error(&path.key("command"), message, help);
            }
            for key in others.iter().filter(|key| is_set(key)) {
                let message = format!("a destination of kind `{kind}` takes no `{key}`");
                self.error(&path.key(*key), message, "leave it out, or choose the other kind");
            }
            self.env(env, &path);
            self.destination_projects(projects, &path);
        }
    }

    fn destination_projects(&mut self, projects: &[ProjectKey], path: &KeyPath) {
        let known: BTreeSet<&str> =
            self.config.project.iter().map(|project| project.key.as_str()).collect();
        // Without tables, the file is about the repository that it is in, whose key may be made up.
        for (index, project) in projects.iter().enumerate().filter(|_| !known.is_empty()) {
            if !known.contains(project.as_str()) {
                let message = format!(
                    "there is no project `{project}`{}",
                    did_you_mean(project.as_str(), known.iter().copied())
                );
                let help = format!("use one of {}", listed(known.iter().copied()));
                self.error(&path.key("projects").index(index), message, &help);
            }
        }
    }

    fn env(&mut self, env: &BTreeMap<String, String>, path: &KeyPath) {
        for name in env.keys() {
            let path = path.key("env").key(name);
            let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let help = "use letters, digits and `_`, starting with a letter";
                self.error(
                    &path,
                    format!("`{}` cannot name an environment variable", name.escape_debug()),
                    help,
                );
            } else if name.starts_with("GATEWRIGHT_") {
                let help = "choose another name: variables that start with GATEWRIGHT_ are set for every run";
                self.error(&path, format!("`{name}` is not yours to set"), help);
            }
        }
    }

    fn agent_name(&mut self, name: Option<&AgentName>, path: &KeyPath) {
        let Some(name) = name else { return };
        let kinds = AgentKind::VARIANTS.iter().copied().filter(|it| *it != "command");
        let known: BTreeSet<&str> =
            self.config.agents.keys().map(AgentName::as_str).chain(kinds).collect();
        if !known.contains(name.as_str()) {
            let message = format!(
                "there is no agent `{name}`{}",
                did_you_mean(name.as_str(), known.iter().copied())
            );
            let help =
                format!("use one of {}, or add `[agents.{name}]`", listed(known.iter().copied()));
            self.error(path, message, &help);
        }
    }

    fn roles(&mut self, roles: &BTreeMap<RoleName, RoleSettings>, path: &KeyPath) {
        for (role, settings) in roles {
            self.agent_name(
                settings.agent.as_ref(),
                &path.key("roles").key(role.as_str()).key("agent"),
            );
        }
    }

    fn gates(&mut self, gates: &BTreeMap<GateName, GateSettings>, path: &KeyPath) {
        for (name, gate) in gates {
            let path = path.key("gates").key(name.as_str());
            if gate.run.as_ref().is_some_and(|run| run.trim().is_empty()) {
                let help = "give a command, or leave `run` out";
                self.error(
                    &path.key("run"),
                    format!("the command of gate `{name}` is empty"),
                    help,
                );
            }
            for (index, pattern) in gate.keep.iter().flatten().enumerate() {
                if let Err(error) = path_rules::compile(pattern) {
                    let help = "patterns are relative to the repository: `tests/**`";
                    self.error(&path.key("keep").index(index), error.to_string(), help);
                }
            }
        }
    }

    fn secret(&mut self, secret: Option<&SecretRef>, path: &KeyPath) {
        if secret.is_some_and(|it| it.places() != 1) {
            let message = format!("`{path}` must name one place of the secret");
            self.error(path, message, SecretRef::HINT);
        }
    }

    fn projects(&mut self) {
        let config = self.config;
        if config.project.is_empty() {
            return;
        }
        let top = KeyPath::default();
        let Config { key, name, default_branch, gates, .. } = config;
        let misplaced = [
            ("key", key.is_some()),
            ("name", name.is_some()),
            ("default_branch", default_branch.is_some()),
            ("gates", !gates.is_empty()),
        ];
        for (key, _) in misplaced.into_iter().filter(|(_, is_set)| *is_set) {
            let message = format!(
                "`{key}` at the top describes the repository that the file is in, but there are `[[project]]` tables"
            );
            self.error(
                &top.key(key),
                message,
                &format!("move `{key}` into its `[[project]]` table"),
            );
        }
        let mut keys = BTreeSet::new();
        for (index, project) in config.project.iter().enumerate() {
            let path = top.key("project").index(index);
            if !keys.insert(&project.key) {
                let help = "items are told apart by their project's key: choose another one";
                self.error(
                    &path.key("key"),
                    format!("there are two projects `{}`", project.key),
                    help,
                );
            }
            if project.repo.trim().is_empty() {
                let help = "give a path, relative to this file, or a URL";
                self.error(
                    &path.key("repo"),
                    format!("project `{}` has an empty `repo`", project.key),
                    help,
                );
            }
            self.agent_name(project.agent.as_ref(), &path.key("agent"));
            self.roles(&project.roles, &path);
            self.gates(&project.gates, &path);
            self.integrations(index, &path);
        }
    }

    fn integrations(&mut self, index: usize, path: &KeyPath) {
        let project = &self.config.project[index];
        if let Some(forge) = &project.forge {
            let path = path.key("forge");
            self.secret(forge.token.as_ref(), &path.key("token"));
            self.secret(forge.webhook_secret.as_ref(), &path.key("webhook_secret"));
            if forge.kind != ForgeKind::None {
                let message = format!(
                    "project `{}`: the forge `{}` is not available in this version: finished branches stay in the repository",
                    project.key, forge.kind
                );
                self.warn(&path.key("kind"), message);
            }
        }
        if let Some(tracker) = &project.tracker {
            let path = path.key("tracker");
            self.secret(tracker.token.as_ref(), &path.key("token"));
            self.secret(tracker.webhook_secret.as_ref(), &path.key("webhook_secret"));
            if tracker.kind != TrackerKind::None {
                let message = format!(
                    "project `{}`: the tracker `{}` is not available in this version: items come from the command line",
                    project.key, tracker.kind
                );
                self.warn(&path.key("kind"), message);
            }
        }
    }
}
