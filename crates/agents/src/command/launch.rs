//! How any program is started.

use camino::{Utf8Path, Utf8PathBuf};
use ports::{AgentError, AgentProfile, LaunchContext, LaunchLine};

use crate::{lookup, visible};

/// The program alone: what an unknown program does with `--version` is its own affair, it might as well begin to work.
pub(super) fn check_line(profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError> {
    let mut argv = command(profile, path)?;
    argv.truncate(1);
    Ok(argv)
}

pub(super) fn launch_line(context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
    let profile = context.profile;
    let mut argv = command(profile, context.path)?;
    // One in the workspace is seen anyway, and is the agent's own to change.
    let readable = if is_in_workspace(&argv[0]) {
        Vec::new()
    } else {
        visible::places(Utf8Path::new(&argv[0]), context.path)
    };
    argv.extend(profile.args.iter().cloned());

    let mut env = profile.env.clone();
    if let Some(model) = context.model.or(profile.model.as_deref()) {
        env.entry("GATEWRIGHT_MODEL".to_owned()).or_insert_with(|| model.to_owned());
    }
    let stdin: Option<Utf8PathBuf> = Some(context.brief.to_owned());
    Ok(LaunchLine { argv, env, stdin, home_files: Vec::new(), readable, login: Vec::new() })
}

fn command(profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError> {
    let Some(command) = profile.command.as_ref().filter(|command| !command.is_empty()) else {
        return Err(lookup::invalid(
            profile,
            "kind `command` needs the program to run; write `command = [\"/path/to/agent\", \"argument\"]`",
        ));
    };
    let mut argv = command.clone();
    if !is_in_workspace(&argv[0]) {
        argv[0] = lookup::program(profile, &argv[0], path, None)?.into_string();
    }
    Ok(argv)
}

/// `./agent.sh` is looked for where the agent works, not where we do.
fn is_in_workspace(program: &str) -> bool {
    program.starts_with("./")
}
