//! An agent that is a script: what it does, and how its stream is read.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    failure::{Failure, FailureClass},
    fingerprint::Fingerprint,
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use jiff::Timestamp;
use ports::{
    Agent, AgentError, AgentProfile, ExitRecord, LaunchContext, LaunchLine, SandboxEnd, StopReason,
    StreamParser,
};

/// The program of the agent: a sandbox that is to run it plays a script.
pub(super) const PROGRAM: &str = "fake-agent";

/// Something that the agent does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes a line of its stream.
    Say(String),
    /// Writes a file of its workspace.
    Write(String, String),
    /// Ends with this exit code.
    End(i32),
    /// Pays no heed to being asked to stop: it ends when its grace is over.
    Defy,
    /// Takes its time before it goes on.
    Rest(Duration),
    /// Its shim dies without a word.
    Vanish,
}

/// What the agent does as soon as it is launched; without an [`Act::End`] it goes on running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script(pub Vec<Act>);

impl Script {
    /// Runs, and does nothing until a test has it do something.
    #[must_use]
    pub const fn waits() -> Self {
        Self(Vec::new())
    }

    /// Writes a file and ends well.
    #[must_use]
    pub fn writes(path: &str, content: &str) -> Self {
        Self::waits().write(path, content).say("done").end(0)
    }

    /// Ends with a failure of that class: `transient`, `permanent`, `credentials`.
    #[must_use]
    pub fn fails(class: FailureClass) -> Self {
        Self::waits().say(&format!("fail {class} it was told to")).end(1)
    }

    /// Works in a conversation and meets a quota window that is spent until then.
    #[must_use]
    pub fn meets_a_spent_window(session: &str, until: Timestamp) -> Self {
        Self::waits()
            .say(&format!("session {session}"))
            .say("fail quota the window is spent")
            .say(&format!("opens {}", until.as_second()))
            .end(0)
    }

    /// Then says a line.
    #[must_use]
    pub fn say(mut self, line: &str) -> Self {
        self.0.push(Act::Say(line.to_owned()));
        self
    }

    /// Then writes a file.
    #[must_use]
    pub fn write(mut self, path: &str, content: &str) -> Self {
        self.0.push(Act::Write(path.to_owned(), content.to_owned()));
        self
    }

    /// Then pays no heed to being asked to stop.
    #[must_use]
    pub fn defies(mut self) -> Self {
        self.0.push(Act::Defy);
        self
    }

    /// Then takes its time.
    #[must_use]
    pub fn rest(mut self, time: Duration) -> Self {
        self.0.push(Act::Rest(time));
        self
    }

    /// Then its shim dies without a word.
    #[must_use]
    pub fn vanish(mut self) -> Self {
        self.0.push(Act::Vanish);
        self
    }

    /// Then ends.
    #[must_use]
    pub fn end(mut self, code: i32) -> Self {
        self.0.push(Act::End(code));
        self
    }
}

/// The kind of the scripted agent.
#[derive(Debug)]
pub struct FakeAgent;

impl Agent for FakeAgent {
    fn kind(&self) -> &'static str {
        "fake"
    }

    /// Each has its own, so that one can be unwell while another is not.
    fn provider(&self, profile: &AgentProfile) -> String {
        format!("{}.test", profile.name)
    }

    fn reports_tool_calls(&self) -> bool {
        true
    }

    fn check_line(&self, _profile: &AgentProfile, _path: &str) -> Result<Vec<String>, AgentError> {
        Ok(vec![PROGRAM.to_owned(), "--version".to_owned()])
    }

    fn launch_line(&self, context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
        let mut argv = vec![PROGRAM.to_owned()];
        if let Some(session) = context.session {
            argv.extend(["--resume".to_owned(), session.to_owned()]);
        }
        Ok(LaunchLine {
            argv,
            env: BTreeMap::new(),
            stdin: Some(context.brief.to_owned()),
            home_files: Vec::new(),
            readable: Vec::new(),
            login: Vec::new(),
        })
    }

    fn parser(&self) -> Box<dyn StreamParser> {
        Box::new(LineParser::default())
    }
}

/// Understands `session ID`, `tool NAME`, `result [WORDS]`, `usage TOKENS`, `fail CLASS WORDS`, and of a failure
/// `opens SECOND` and `patience SECONDS`; all else is said.
#[derive(Debug, Default)]
struct LineParser {
    usage: Usage,
    failure: Option<Failure>,
    last_words: String,
}

impl StreamParser for LineParser {
    fn line(&mut self, line: &str) -> Vec<AgentEvent> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "session" => vec![AgentEvent::Started { session: Some(rest.to_owned()) }],
            "tool" => vec![AgentEvent::ToolCall {
                name: rest.to_owned(),
                input: String::new(),
                fingerprint: Some(Fingerprint::of(&[rest])),
                only_reads: false,
            }],
            "result" => vec![AgentEvent::ToolResult {
                ok: true,
                size: rest.len() as u64,
                fingerprint: Some(Fingerprint::of(&[rest])),
            }],
            "usage" => {
                self.usage.output_tokens = rest.parse().expect("a script names a number");
                vec![AgentEvent::Usage { total: self.usage }]
            }
            "fail" => {
                let (class, message) = rest.split_once(' ').expect("a script names a class");
                let class = class.parse().expect("a script names a class that exists");
                self.failure = Some(Failure::new(class, message));
                vec![AgentEvent::Error { message: message.to_owned() }]
            }
            "opens" | "patience" => {
                let seconds: u32 = rest.parse().expect("a script names seconds");
                let failure = self.failure.as_mut().expect("a script names a failure first");
                if word == "opens" {
                    failure.until = Some(Timestamp::from_second(seconds.into()).expect("a time"));
                } else {
                    failure.retry_after = Some(Duration::from_secs(seconds.into()));
                }
                Vec::new()
            }
            _ => {
                line.clone_into(&mut self.last_words);
                vec![AgentEvent::Text { text: line.to_owned() }]
            }
        }
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn end(&mut self, exit: &ExitRecord, _stderr_tail: &str) -> RunOutcome {
        let failure = match &exit.end {
            SandboxEnd::Exited { code: 0 } => self.failure.take(),
            SandboxEnd::Exited { code } => Some(self.failure.take().unwrap_or_else(|| {
                Failure::new(FailureClass::Permanent, format!("exited with code {code}"))
            })),
            // A provider that refuses is what stands behind a limit that was reached.
            SandboxEnd::Stopped { reason: StopReason::TimeLimit | StopReason::Silence } => {
                let limit = || Failure::new(FailureClass::Resource, "reached a limit");
                Some(self.failure.take().unwrap_or_else(limit))
            }
            SandboxEnd::Stopped { .. } | SandboxEnd::Signaled { .. } => {
                Some(Failure::new(FailureClass::Lost, "was stopped"))
            }
            SandboxEnd::LaunchFailed { message } => {
                Some(Failure::new(FailureClass::Permanent, message))
            }
        };
        failure.map_or_else(
            || RunOutcome::Ended { summary: self.last_words.clone() },
            |failure| RunOutcome::Failed { failure },
        )
    }
}

/// A secret that every agent is given.
pub const FAKE_KEY: &str = "sk-made-up-3f9a1c";

/// How the agent is configured unless a test says otherwise.
#[must_use]
pub(super) fn profile(name: &str) -> AgentProfile {
    AgentProfile {
        name: domain::name::AgentName::new(name).expect("a name"),
        command: None,
        model: None,
        effort: None,
        args: Vec::new(),
        env: [("FAKE_KEY".to_owned(), FAKE_KEY.to_owned())].into(),
        secrets: ["FAKE_KEY".to_owned()].into(),
        max_turns: None,
        lend_login: false,
    }
}

/// How long it may be silent, in tests.
pub const STALL_LIMIT: Duration = Duration::from_mins(2);
