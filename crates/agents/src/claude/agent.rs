//! What Claude Code can do for us.

use ports::{Agent, AgentError, AgentProfile, LaunchContext, LaunchLine, StreamParser};

use super::{launch, parser::Parser};

/// The kind `claude`.
pub(crate) struct Claude;

impl Agent for Claude {
    fn kind(&self) -> &'static str {
        "claude"
    }

    fn reports_tool_calls(&self) -> bool {
        true
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
