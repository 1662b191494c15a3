//! What Claude Code can do for us.

use ports::{Agent, AgentError, AgentProfile, LaunchContext, LaunchLine, StreamParser};

use super::{launch, parser::Parser};
use crate::destination;

/// The kind `claude`.
pub(crate) struct Claude;

impl Agent for Claude {
    fn kind(&self) -> &'static str {
        "claude"
    }

    fn provider(&self, profile: &AgentProfile) -> String {
        destination::host(profile, "ANTHROPIC_BASE_URL", "api.anthropic.com")
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
