//! All roles of an installation, ready to render.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use camino::Utf8Path;
use domain::{brief::BriefContext, definition::Role, name::RoleName};
use minijinja::Environment;
use ports::{BriefError, Briefs};

use super::{RoleFileError, built_in, filters::engine, parse};
use crate::problem::{Problem, Problems};

/// Where a repository keeps its roles.
pub const DIRECTORY: &str = ".gatewright/roles";

/// Roles by name. A role that is added takes the place of one of the same name.
#[derive(Clone, Debug)]
pub struct RoleBook {
    roles: BTreeMap<RoleName, Role>,
    engine: Environment<'static>,
}

impl RoleBook {
    /// The built-in roles.
    #[must_use]
    pub fn built_in() -> Self {
        let mut book = Self { roles: BTreeMap::new(), engine: engine() };
        for (name, text) in built_in() {
            let name = RoleName::new(*name).expect("built-in roles are tested");
            let role = parse::read(&name, name.as_str(), text).expect("built-in roles are tested");
            book.insert(role).expect("built-in roles are tested");
        }
        book
    }

    /// Adds the role file that is called `file`; its stem is the role's name.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Problems> {
        let stem = Utf8Path::new(file).file_stem().unwrap_or_default();
        let name =
            RoleName::new(stem).map_err(|error| Problem::in_value(file, error.to_string()))?;
        let role = parse::parse(&name, file, text)?;
        self.insert(role)
            .map_err(|error| Problem::in_value(file, parse::cause(&error, name.as_str()).1).into())
    }

    fn insert(&mut self, role: Role) -> Result<(), minijinja::Error> {
        self.engine.add_template_owned(role.name.to_string(), role.template.clone())?;
        self.roles.insert(role.name.clone(), role);
        Ok(())
    }

    /// Adds the roles of a target branch: files, path to text; those outside of [`DIRECTORY`] do not matter.
    pub fn add_target(&mut self, files: &BTreeMap<String, String>) -> Result<(), Problems> {
        let directly_in = |path: &str| {
            Utf8Path::new(path).parent() == Some(Utf8Path::new(DIRECTORY)) && is_role_file(path)
        };
        files
            .iter()
            .filter(|(path, _)| directly_in(path))
            .try_for_each(|(path, text)| self.add(path, text))
    }

    /// Adds the server's own roles: the files in `roles/` beside its configuration. None there is fine.
    pub fn add_server(&mut self, directory: &Utf8Path) -> Result<(), RoleFileError> {
        let directory = directory.join("roles");
        let error = |source| RoleFileError::Read { path: directory.clone(), source };
        let entries = match directory.read_dir_utf8() {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(error)?,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(error(source)),
        };
        for entry in entries.iter().filter(|it| is_role_file(it.file_name())) {
            let path = entry.path();
            let read = std::fs::read_to_string(path);
            let text =
                read.map_err(|source| RoleFileError::Read { path: path.to_owned(), source })?;
            self.add(path.as_str(), &text)?;
        }
        Ok(())
    }

    /// The role of that name.
    #[must_use]
    pub fn find(&self, name: &RoleName) -> Option<&Role> {
        self.roles.get(name)
    }

    /// The names of all roles.
    #[must_use]
    pub fn names(&self) -> BTreeSet<RoleName> {
        self.roles.keys().cloned().collect()
    }
}

fn is_role_file(path: &str) -> bool {
    Utf8Path::new(path).extension() == Some("md")
}

impl Briefs for RoleBook {
    fn render(&self, role: &RoleName, context: &BriefContext) -> Result<String, BriefError> {
        if !self.roles.contains_key(role) {
            return Err(BriefError::UnknownRole { role: role.clone() });
        }
        parse::render(&self.engine, role.as_str(), context).map_err(|error| {
            let (line, reason) = parse::cause(&error, role.as_str());
            let reason = line.map_or_else(
                || reason.clone(),
                |line| format!("{reason} (line {line} of the template)"),
            );
            BriefError::Template { role: role.clone(), reason }
        })
    }
}
