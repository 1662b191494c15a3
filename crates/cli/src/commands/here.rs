//! What is known where we are: the repository around the working directory, its definitions and roles.

use std::{collections::BTreeMap, sync::Arc};

use camino::Utf8PathBuf;
use config::{
    Loaded, ProjectSettings,
    definition::{self, Found, FoundIn, Places, ResolveError},
    detect,
    roles::RoleBook,
};
use domain::{
    definition::Definition,
    name::DefinitionName,
    revision::{BranchName, CommitSha},
};
use git::MirrorGit;
use ports::{Git as _, ProjectRef};
use tempfile::TempDir;

use super::{
    data::root,
    init::Tree,
    run::{definition_error, role_book, target_files},
};
use crate::{
    context::Context,
    error::CliError,
    output,
    repository::{self, Repository},
    wiring,
};

/// A repository, seen through a mirror of its own that goes away with it: neither the mirrors of projects nor a
/// process that works on them are disturbed.
pub(crate) struct Ground {
    pub(crate) repository: Repository,
    pub(crate) project: ProjectRef,
    pub(crate) git: Arc<MirrorGit>,
    /// The branch that work is for, and where it is, where there is one.
    pub(crate) target: Option<(BranchName, CommitSha)>,
    /// A data directory for this call alone.
    pub(crate) scratch: Utf8PathBuf,
    _removed_at_the_end: TempDir,
}

/// What is known where we are.
pub(crate) struct Here {
    pub(crate) loaded: Loaded,
    pub(crate) settings: ProjectSettings,
    pub(crate) roles: RoleBook,
    /// None outside of repositories.
    pub(crate) ground: Option<Ground>,
    files: BTreeMap<String, String>,
}

impl Here {
    pub(crate) async fn find(context: &Context) -> Result<Self, CliError> {
        let root = root(context);
        let loaded = context.load_config(&root)?;
        let settings = loaded.project_at(&root);
        // Built-in definitions are known everywhere.
        let ground = if root.join(".git").exists() {
            Some(Ground::new(context, &loaded, &settings).await?)
        } else {
            None
        };
        let files = match &ground {
            Some(Ground { git, project, target: Some((_, commit)), .. }) => {
                target_files(git, project, commit).await?
            }
            _ => BTreeMap::new(),
        };
        let roles = role_book(&loaded, &files)?;
        Ok(Self { loaded, settings, roles, ground, files })
    }

    /// The definition of that name.
    pub(crate) fn find_definition(&self, name: &DefinitionName) -> Result<Found, CliError> {
        let names = self.roles.names();
        let places =
            Places { server: Some(self.loaded.directory()), target: &self.files, roles: &names };
        definition::find(name, &places).map_err(|error| definition_error(&error))
    }

    /// Every definition that there is, and where.
    pub(crate) fn definitions(&self) -> BTreeMap<DefinitionName, FoundIn> {
        let names = self.roles.names();
        definition::list(&Places {
            server: Some(self.loaded.directory()),
            target: &self.files,
            roles: &names,
        })
    }

    /// A definition as this project runs it, with its commands; detected ones where nobody named any.
    pub(crate) fn resolve(&self, definition: &Definition) -> Result<Definition, ResolveError> {
        definition::resolve(definition.clone(), &self.settings).or_else(|error| {
            let Some(ground) = &self.ground else { return Err(error) };
            let tree = Tree { root: ground.repository.root.clone() };
            let Some(command) = detect::detect(&tree).test_command else { return Err(error) };
            output::say(format_args!("testing with `{}` ({})", command.run, command.why));
            definition::resolve(definition.clone(), &self.settings.clone().with_check(&command.run))
        })
    }
}

impl Ground {
    async fn new(
        context: &Context,
        loaded: &Loaded,
        settings: &ProjectSettings,
    ) -> Result<Self, CliError> {
        let cannot = |error: std::io::Error| {
            CliError::new(format!("a directory for this call cannot be made: {error}"))
        };
        let data_dir = context.data_dir(loaded);
        std::fs::create_dir_all(&data_dir).map_err(cannot)?;
        let directory =
            tempfile::Builder::new().prefix("here-").tempdir_in(&data_dir).map_err(cannot)?;
        let scratch = Utf8PathBuf::from_path_buf(directory.path().to_owned()).map_err(|path| {
            CliError::new(format!("the path {} is not valid UTF-8", path.display()))
        })?;
        let git = wiring::git(context, &scratch).await?;
        let repository = repository::find(context, &git, None).await?;
        let project =
            ProjectRef { key: settings.key.clone(), repository: repository.root.to_string() };
        git.sync(&project).await?;
        let target = match settings.default_branch.clone().or_else(|| repository.branch.clone()) {
            Some(branch) => {
                git.find_target(&project, &branch).await?.map(|commit| (branch, commit))
            }
            None => None,
        };
        Ok(Self { repository, project, git, target, scratch, _removed_at_the_end: directory })
    }
}
