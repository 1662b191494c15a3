//! How the player is started.

use camino::{Utf8Path, Utf8PathBuf};
use ports::{Agent, AgentError, AgentProfile, LaunchContext, LaunchLine, StreamParser};

use super::catalog;
use crate::{command::Parser, lookup, visible};

/// The subcommand of our own binary that plays a scenario.
const SUBCOMMAND: &str = "scripted-agent";

/// The kind `scripted`.
pub(crate) struct Scripted;

impl Agent for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    /// It talks to nobody; what one plays is nothing to another.
    fn provider(&self, profile: &AgentProfile) -> String {
        profile.name.to_string()
    }

    fn reports_tool_calls(&self) -> bool {
        true
    }

    /// Our own binary answers for it.
    fn check_line(&self, profile: &AgentProfile, _path: &str) -> Result<Vec<String>, AgentError> {
        scenario(profile)?;
        let own = std::env::current_exe().ok().and_then(|it| Utf8PathBuf::from_path_buf(it).ok());
        let own = own.ok_or_else(|| AgentError::Missing {
            agent: profile.name.clone(),
            program: "gatewright".to_owned(),
            install: None,
        })?;
        Ok(vec![own.into_string(), "--version".to_owned()])
    }

    fn launch_line(&self, context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
        let scenario = scenario(context.profile)?;
        let mut readable = visible::places(context.gatewright, context.path);
        if Utf8Path::new(scenario).is_absolute() {
            readable.push(Utf8PathBuf::from(scenario));
        }
        let argv = [context.gatewright.as_str(), SUBCOMMAND, "--scenario", scenario];
        Ok(LaunchLine {
            argv: argv.map(str::to_owned).to_vec(),
            env: context.profile.env.clone(),
            stdin: Some(context.brief.to_owned()),
            home_files: Vec::new(),
            readable,
            login: Vec::new(),
        })
    }

    /// The player speaks like any other command.
    fn parser(&self) -> Box<dyn StreamParser> {
        Box::new(Parser::default())
    }
}

/// The one argument: a built-in scenario's name, or the absolute path of a file.
fn scenario(profile: &AgentProfile) -> Result<&str, AgentError> {
    let known =
        || catalog::scenarios().into_iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
    if profile.command.is_some() {
        return Err(lookup::invalid(
            profile,
            "kind `scripted` is built in and takes no `command`; write `args = [\"demo\"]`",
        ));
    }
    let [scenario] = profile.args.as_slice() else {
        return Err(lookup::invalid(
            profile,
            &format!("`args` must name one scenario: the path of a file, or one of {}", known()),
        ));
    };
    if Utf8Path::new(scenario).is_absolute() || catalog::find(scenario).is_some() {
        return Ok(scenario);
    }
    Err(lookup::invalid(
        profile,
        &format!(
            "there is no scenario `{scenario}`; write an absolute path, or one of {}",
            known()
        ),
    ))
}
