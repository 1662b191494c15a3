//! Which backend is used, and what is said about it.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use nix::unistd::Uid;
use ports::{Sandbox, SandboxError};
use serde::{Deserialize, Serialize};

use crate::{bubblewrap, order::Wall, shimmed::Shimmed};

/// What somebody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Bubblewrap where it works, otherwise no wall, with a warning.
    #[default]
    Auto,
    /// No wall: a clean environment, a session of its own, and limits. For agents that are trusted like their user.
    Process,
    /// Namespaces, a read-only system, and only the places that are mounted.
    Bubblewrap,
}

/// How the shim and the wall are started on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The command line that starts the shim, without its last argument: an absolute program, and what makes it call
    /// [`crate::shim::main`]. The program is seen inside the wall, where only `/usr` is there for its libraries.
    pub shim: Vec<String>,
    /// The `bwrap` program; `None` looks in the places where systems have it.
    pub bubblewrap: Option<Utf8PathBuf>,
}

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Its name.
    pub backend: &'static str,
    /// Its version.
    pub version: String,
    /// What whoever started us should know about it.
    pub warning: Option<String>,
}

/// Takes the backend that was asked for, after proving that it works by using it once.
///
/// A wall that was asked for by name and cannot be had is an error. Only [`Backend::Auto`] goes on without one, and says so.
pub async fn select(
    backend: Backend,
    options: Options,
) -> Result<(Arc<dyn Sandbox>, Selection), SandboxError> {
    match backend {
        Backend::Process => process(&options, NO_WALL.to_owned()).await,
        Backend::Bubblewrap => bubblewrap(&options).await,
        Backend::Auto => match bubblewrap(&options).await {
            Err(SandboxError::Unavailable { reason, .. }) => {
                process(&options, format!("{NO_WALL} (bubblewrap: {reason})")).await
            }
            other => other,
        },
    }
}

const NO_WALL: &str =
    "agents run without a wall: they can read, write and reach whatever this user can";

const ROOT: &str = "this runs as root, and so do agents, without capabilities; as an ordinary user the wall is thicker";

async fn process(
    options: &Options,
    warning: String,
) -> Result<(Arc<dyn Sandbox>, Selection), SandboxError> {
    proven(Shimmed::new("process", Wall::None, shim(options)?), Some(warning)).await
}

async fn bubblewrap(options: &Options) -> Result<(Arc<dyn Sandbox>, Selection), SandboxError> {
    let program = bubblewrap::find(options.bubblewrap.as_deref())?;
    let warning = Uid::effective().is_root().then(|| ROOT.to_owned());
    proven(Shimmed::new(bubblewrap::NAME, Wall::Bubblewrap { program }, shim(options)?), warning)
        .await
}

async fn proven(
    sandbox: Shimmed,
    warning: Option<String>,
) -> Result<(Arc<dyn Sandbox>, Selection), SandboxError> {
    let version = sandbox.check().await?;
    let selection = Selection { backend: sandbox.backend(), version, warning };
    Ok((Arc::new(sandbox), selection))
}

fn shim(options: &Options) -> Result<Vec<String>, SandboxError> {
    match options.shim.first() {
        Some(program) if Utf8Path::new(program).is_absolute() => Ok(options.shim.clone()),
        other => {
            let found = other.map_or("nothing", String::as_str);
            Err(SandboxError::Invalid {
                reason: format!("the shim's program is not an absolute path: {found}"),
            })
        }
    }
}
