//! Reads `gatewright.toml`: file, then environment, then flags; everything that is wrong is told at once.

use std::{collections::BTreeMap, io, num::NonZeroU32};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use domain::name::DefinitionName;
use miette::Diagnostic;
use ports::MergeStrategy;
use serde_json::Value;

use crate::{
    check::check,
    detect,
    document::Document,
    key_path::KeyPath,
    overrides::{self, Flag, Override},
    problem::{Problem, Problems},
    settings::{Config, MergeSettings, ProjectSettings, ProjectTable},
    shape::Shape,
    show::{Origin, Setting, flatten},
};

/// What is true of this machine and this call, told by the caller. Has no `Debug`: an environment holds secrets.
#[derive(Clone)]
pub struct Surroundings {
    /// The user's home directory, for `~`.
    pub home: Option<Utf8PathBuf>,
    /// Where everything is kept if nobody says otherwise.
    pub data_dir: Utf8PathBuf,
    /// Processor cores.
    pub cores: NonZeroU32,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Flags that set keys.
    pub flags: Vec<Flag>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is in it is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Problems),
}

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is configured; data directory, database and limits are filled in.
    pub config: Config,
    /// The file that it came from.
    pub file: Utf8PathBuf,
    /// What is odd but does not stop anything.
    pub warnings: Vec<Problem>,
    settings: Vec<Setting>,
}

/// Reads the file at `path`.
pub fn load(path: &Utf8Path, surroundings: &Surroundings) -> Result<Loaded, ConfigError> {
    let read = std::fs::read_to_string(path);
    let text = read.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    Ok(parse(&text, path, surroundings)?)
}

/// Reads the `text` of the file at `path`; an empty text is no configuration at all, which is fine.
pub fn parse(text: &str, path: &Utf8Path, surroundings: &Surroundings) -> Result<Loaded, Problems> {
    let shape = Shape::of::<Config>();
    let mut document = Document::parse(path.as_str(), text)?;
    let mut problems = shape.check(&document);
    let file = document.clone();
    let applied =
        overrides::apply(&mut document, &shape, &surroundings.environment, &surroundings.flags);
    problems.extend(applied.problems);
    Problems::check(problems)?;
    let mut config: Config = document.read()?;
    let findings = check(&config, &file);
    Problems::check(findings.errors)?;
    let origin = |at: &KeyPath| origin(at, path, &file, &applied.overrides);
    fill_in(&mut config, path, surroundings, &origin);
    let mut settings = Vec::new();
    let values = serde_json::to_value(&config).expect("a configuration is plain data");
    flatten(&values, &KeyPath::default(), &origin, &mut settings);
    let mut warnings = findings.warnings;
    warnings.extend(applied.warnings);
    Ok(Loaded { config, file: path.to_owned(), warnings, settings })
}

/// The JSON Schema of `gatewright.toml`.
#[must_use]
pub fn schema() -> Value {
    Shape::of::<Config>().into_schema()
}

fn origin(at: &KeyPath, path: &Utf8Path, file: &Document<'_>, overrides: &[Override]) -> Origin {
    if let Some(found) = overrides.iter().find(|it| it.path == *at) {
        return found.origin.clone();
    }
    file.line_of(at).map_or(Origin::Default, |line| Origin::File { file: path.to_owned(), line })
}

/// Fills in what the machine decides, and makes paths absolute as far as the file's own path is.
fn fill_in(
    config: &mut Config,
    path: &Utf8Path,
    surroundings: &Surroundings,
    origin: &impl Fn(&KeyPath) -> Origin,
) {
    let beside = directory(path);
    let home = surroundings.home.as_deref();
    let in_file = matches!(origin(&KeyPath::from(["data_dir"])), Origin::File { .. });
    let data_dir = config.data_dir.take().map(|it| expand_home(&it, home));
    let data_dir = data_dir.map(|it| if in_file { beside.join(it) } else { it });
    config.data_dir = Some(data_dir.unwrap_or_else(|| surroundings.data_dir.clone()));
    config.database.get_or_insert_with(|| "sqlite".to_owned());
    config.limits.max_concurrency.get_or_insert(surroundings.cores);
    for place in &mut config.sandbox.read {
        *place = beside.join(expand_home(place, home));
    }
    for destination in config.destinations.values_mut() {
        if let Some(place) = &mut destination.path {
            *place = beside.join(expand_home(place, home));
        }
        // A bare name is looked up in `PATH`.
        if let Some(program) = destination.command.iter_mut().flatten().next()
            && program.contains('/')
        {
            *program =
                beside.join(expand_home(Utf8Path::new(program.as_str()), home)).into_string();
        }
    }
    for project in &mut config.project {
        if !is_url(&project.repo) {
            project.repo =
                tidy(&beside.join(expand_home(Utf8Path::new(&project.repo), home))).into_string();
        }
    }
}

fn directory(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}

fn expand_home(path: &Utf8Path, home: Option<&Utf8Path>) -> Utf8PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// The same path without `.` and `..`, so that it can be compared with one that the system gives.
fn tidy(path: &Utf8Path) -> Utf8PathBuf {
    let mut tidy = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if tidy.file_name().is_some() => drop(tidy.pop()),
            other => tidy.push(other),
        }
    }
    tidy
}

/// `https://…`, `ssh://…` and the short `user@host:path` of git.
fn is_url(repository: &str) -> bool {
    let before_slash = repository.split('/').next().unwrap_or(repository);
    repository.contains("://") || before_slash.contains(':')
}

impl Loaded {
    /// The effective values and where each comes from, secrets masked.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The directory of the file: `pipelines/` and `roles/` beside it are the server's own.
    #[must_use]
    pub fn directory(&self) -> &Utf8Path {
        directory(&self.file)
    }

    /// The projects of the `[[project]]` tables.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectSettings> {
        self.config.project.iter().map(|it| self.project(it)).collect()
    }

    /// The repository at `repository`, an absolute path, as a project: its `[[project]]` table if it has one, else what
    /// the top of the file says.
    #[must_use]
    pub fn project_at(&self, repository: &Utf8Path) -> ProjectSettings {
        let Config { key, name, default_branch, gates, project, .. } = &self.config;
        if let Some(found) = project.iter().find(|it| Utf8Path::new(&it.repo) == repository) {
            return self.project(found);
        }
        let directory_name = repository.file_name().unwrap_or("project");
        let name = name.clone().unwrap_or_else(|| directory_name.to_owned());
        self.project(&ProjectTable {
            key: key.clone().unwrap_or_else(|| detect::project_key(&name)),
            name: Some(name),
            repo: repository.to_string(),
            default_branch: default_branch.clone(),
            definition: None,
            agent: None,
            human_gates: None,
            merge: None,
            gates: gates.clone(),
            roles: BTreeMap::new(),
            forge: None,
            tracker: None,
        })
    }

    fn project(&self, table: &ProjectTable) -> ProjectSettings {
        let Config { definition, agent, human_gates, merge, roles, .. } = &self.config;
        let solo = || DefinitionName::new("solo").expect("`solo` is a name");
        let MergeSettings { strategy } = table.merge.or(*merge).unwrap_or_default();
        let mut all_roles = roles.clone();
        all_roles.extend(table.roles.clone());
        ProjectSettings {
            key: table.key.clone(),
            name: table.name.clone().unwrap_or_else(|| table.key.to_string()),
            repository: table.repo.clone(),
            default_branch: table.default_branch.clone(),
            definition: table
                .definition
                .clone()
                .or_else(|| definition.clone())
                .unwrap_or_else(solo),
            agent: table.agent.clone().or_else(|| agent.clone()),
            human_gates: table.human_gates.or(*human_gates).unwrap_or(true),
            merge_strategy: MergeStrategy::from(strategy),
            gates: table.gates.clone(),
            roles: all_roles,
        }
    }
}
