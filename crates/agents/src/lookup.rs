//! Where an agent's program is.

use camino::{Utf8Path, Utf8PathBuf};
use ports::{AgentError, AgentProfile};

/// A kind's own program, and how people get it.
pub(crate) struct Known {
    /// Its name in `PATH`.
    pub(crate) program: &'static str,
    /// The command that installs it.
    pub(crate) install: &'static str,
}

/// The program of `profile` with its leading arguments: its own, or the kind's.
///
/// The program's path has its links resolved: what is started inside must be where it is seen inside, and a
/// script of a package looks for the rest of its package beside its real place.
pub(crate) fn command(
    profile: &AgentProfile,
    known: &Known,
    path: &str,
) -> Result<Vec<String>, AgentError> {
    let mut argv = match &profile.command {
        Some(command) if command.is_empty() => {
            return Err(invalid(profile, "`command` is empty; name a program or leave it out"));
        }
        Some(command) => command.clone(),
        None => vec![known.program.to_owned()],
    };
    let install = (argv[0] == known.program).then_some(known.install);
    argv[0] = program(profile, &argv[0], path, install)?.into_string();
    Ok(argv)
}

/// The real place of a program that is named by an absolute path or looked up in `path`.
pub(crate) fn program(
    profile: &AgentProfile,
    name: &str,
    path: &str,
    install: Option<&str>,
) -> Result<Utf8PathBuf, AgentError> {
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid(
            profile,
            &format!("`{name}` is neither an absolute path nor a name to look up in PATH"),
        ));
    }
    let found = which::which_in(name, Some(path), "/").ok().and_then(|it| it.canonicalize().ok());
    found.and_then(|it| Utf8PathBuf::from_path_buf(it).ok()).ok_or_else(|| AgentError::Missing {
        agent: profile.name.clone(),
        program: name.to_owned(),
        install: install.map(str::to_owned),
    })
}

/// Settings that make no sense, with the reason.
pub(crate) fn invalid(profile: &AgentProfile, reason: &str) -> AgentError {
    AgentError::Invalid { agent: profile.name.clone(), reason: reason.to_owned() }
}

/// The conversation to go on with, checked once more before it becomes an argument.
pub(crate) fn session(
    profile: &AgentProfile,
    session: Option<&str>,
) -> Result<Option<String>, AgentError> {
    let Some(name) = session else { return Ok(None) };
    let checked = crate::words::session(name);
    checked.map(Some).ok_or_else(|| {
        invalid(
            profile,
            &format!("`{}` is not the name of a conversation", crate::words::input(name)),
        )
    })
}

/// Whether a place belongs to the system that every sandbox sees.
pub(crate) fn is_system(place: &Utf8Path) -> bool {
    ["/usr", "/bin", "/sbin", "/lib", "/lib64"].iter().any(|system| place.starts_with(system))
}
