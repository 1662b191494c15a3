//! What any program can do for us.

use ports::{Agent, AgentError, AgentProfile, LaunchContext, LaunchLine, StreamParser};

use super::{launch, parser::Parser};

/// The kind `command`.
pub(crate) struct Command;

impl Agent for Command {
    fn kind(&self) -> &'static str {
        "command"
    }

    /// Nobody knows whom a program talks to: each is its own.
    fn provider(&self, profile: &AgentProfile) -> String {
        profile.name.to_string()
    }

    /// A program may report them; that it does not is no reason to trust its silence.
    fn reports_tool_calls(&self) -> bool {
        false
    }

    fn check_line(&self, profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError> {
        launch::check_line(profile, path)
    }

    fn launch_line(&self, context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
        launch::launch_line(context)
    }

    fn parser(&self) -> Box<dyn StreamParser> {
        Box::new(Parser::default())
    }
}
