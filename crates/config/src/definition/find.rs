//! Which definition a name means: the server's own, the target branch's, a built-in one, in this order.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    definition::{Definition, DefinitionHash, Known},
    name::{DefinitionName, RoleName},
};

use super::{BUILT_IN, DefinitionFileError, hash, parse};
use crate::nearest::{did_you_mean, listed};

/// Where a repository keeps its definitions.
pub const DIRECTORY: &str = ".gatewright/pipelines";

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The directory of the server's configuration; its definitions are in `pipelines/` there.
    pub server: Option<&'a Utf8Path>,
    /// Files of the target branch, path to text; those outside of [`DIRECTORY`] do not matter.
    pub target: &'a BTreeMap<String, String>,
    /// The roles that exist.
    pub roles: &'a BTreeSet<RoleName>,
}

/// Where a definition was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// The server's configuration.
    Server(Utf8PathBuf),
    /// The target branch.
    Target(String),
    /// The binary.
    BuiltIn,
}

impl fmt::Display for FoundIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(path) => f.pad(path.as_str()),
            Self::Target(path) => f.pad(&format!("{path} of the target branch")),
            Self::BuiltIn => f.pad("built in"),
        }
    }
}

/// A definition that was looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The definition.
    pub definition: Definition,
    /// Its hash, before a project's commands have been filled in.
    pub hash: DefinitionHash,
    /// Where it was found.
    pub found_in: FoundIn,
}

/// Looks a definition up. The first place that has the name decides, even where what is there is broken.
pub fn find(name: &DefinitionName, places: &Places<'_>) -> Result<Found, DefinitionFileError> {
    let Some((text, found_in)) = text(name, places)? else { return Err(unknown(name, places)) };
    let known = Known { roles: places.roles };
    let file = match &found_in {
        FoundIn::Server(path) => path.to_string(),
        FoundIn::Target(path) => path.clone(),
        FoundIn::BuiltIn => format!("{name}.toml"),
    };
    let definition = parse(&text, &file, &known)?;
    if definition.name != *name {
        return Err(misnamed(&text, &file, &definition.name, name));
    }
    Ok(Found { hash: hash(&definition), definition, found_in })
}

/// Every name that can be found, and where.
#[must_use]
pub fn list(places: &Places<'_>) -> BTreeMap<DefinitionName, FoundIn> {
    let mut all = BTreeMap::new();
    let mut add = |stem: &str, found_in: FoundIn| {
        if let Ok(name) = DefinitionName::new(stem) {
            all.insert(name, found_in);
        }
    };
    for (name, _) in BUILT_IN {
        add(name, FoundIn::BuiltIn);
    }
    for path in places.target.keys() {
        if let Some(stem) =
            path.strip_prefix(DIRECTORY).and_then(|it| it.strip_prefix('/')?.strip_suffix(".toml"))
        {
            add(stem, FoundIn::Target(path.clone()));
        }
    }
    let entries = places.server.and_then(|it| it.join("pipelines").read_dir_utf8().ok());
    for entry in entries.into_iter().flatten().flatten() {
        if let Some(stem) = entry.file_name().strip_suffix(".toml") {
            add(stem, FoundIn::Server(entry.path().to_owned()));
        }
    }
    all
}

fn text(
    name: &DefinitionName,
    places: &Places<'_>,
) -> Result<Option<(String, FoundIn)>, DefinitionFileError> {
    if let Some(directory) = places.server {
        let path = directory.join("pipelines").join(format!("{name}.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((text, FoundIn::Server(path)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(DefinitionFileError::Read { path, source }),
        }
    }
    let path = format!("{DIRECTORY}/{name}.toml");
    if let Some(text) = places.target.get(&path) {
        return Ok(Some((text.clone(), FoundIn::Target(path))));
    }
    let built_in = BUILT_IN.iter().find(|(it, _)| *it == name.as_str());
    Ok(built_in.map(|(_, text)| ((*text).to_owned(), FoundIn::BuiltIn)))
}

fn unknown(name: &DefinitionName, places: &Places<'_>) -> DefinitionFileError {
    let all = list(places);
    let names = || all.keys().map(DefinitionName::as_str);
    DefinitionFileError::Unknown {
        name: name.clone(),
        meant: did_you_mean(name.as_str(), names()),
        help: format!(
            "use one of {}, or add {DIRECTORY}/{name}.toml to the target branch",
            listed(names())
        ),
    }
}

fn misnamed(
    text: &str,
    file: &str,
    found: &DefinitionName,
    wanted: &DefinitionName,
) -> DefinitionFileError {
    let document = match crate::document::Document::parse(file, text) {
        Ok(document) => document,
        Err(problems) => return problems.into(),
    };
    let message = format!("the definition is called `{found}`, its file says `{wanted}`");
    let problem = document.problem_at(&crate::key_path::KeyPath::from(["name"]), message);
    DefinitionFileError::Invalid(problem.with_help("give both the same name").into())
}
