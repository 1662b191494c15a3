//! A run, as the parsers see it: lines, standard error, exit record.

use domain::{
    failure::{Failure, FailureClass},
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use jiff::Timestamp;
use ports::{ExitRecord, SandboxEnd, StopReason};

/// When every run of these tests ends.
pub(crate) const ENDED_AT: i64 = 1_800_000_000;

/// What came of reading a stream.
pub(crate) struct Read {
    pub(crate) events: Vec<AgentEvent>,
    pub(crate) usage: Usage,
    pub(crate) outcome: RunOutcome,
}

pub(crate) fn exit(end: SandboxEnd) -> ExitRecord {
    let ended_at = Timestamp::from_second(ENDED_AT).expect("a time");
    ExitRecord {
        version: 1,
        started_at: ended_at,
        ended_at,
        end,
        leftovers_killed: 0,
        log_cut: false,
    }
}

pub(crate) fn exited(code: i32) -> ExitRecord {
    exit(SandboxEnd::Exited { code })
}

pub(crate) fn stopped(reason: StopReason) -> ExitRecord {
    exit(SandboxEnd::Stopped { reason })
}

pub(crate) fn read(kind: &str, stream: &str, exit: &ExitRecord, stderr: &str) -> Read {
    let mut parser = agents::find(kind).expect("an agent").parser();
    let events = stream.lines().flat_map(|line| parser.line(line)).collect();
    Read { events, usage: parser.usage(), outcome: parser.end(exit, stderr) }
}

/// Events without the fingerprints that were made of them.
pub(crate) fn as_told(events: &[AgentEvent]) -> Vec<AgentEvent> {
    let mut events = events.to_vec();
    for event in &mut events {
        match event {
            AgentEvent::ToolCall { fingerprint, only_reads, .. } => {
                (*fingerprint, *only_reads) = (None, false);
            }
            AgentEvent::ToolResult { fingerprint, .. } => *fingerprint = None,
            _ => {}
        }
    }
    events
}

/// A recorded stream.
pub(crate) fn recorded(name: &str) -> String {
    let file = format!("{}/tests/streams/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"))
}

impl Read {
    pub(crate) fn session(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            AgentEvent::Started { session } => session.as_deref(),
            _ => None,
        })
    }

    pub(crate) fn failure(&self) -> &Failure {
        match &self.outcome {
            RunOutcome::Failed { failure } => failure,
            RunOutcome::Ended { summary } => panic!("ended well: {summary}"),
        }
    }

    pub(crate) fn class(&self) -> Option<FailureClass> {
        match &self.outcome {
            RunOutcome::Failed { failure } => Some(failure.class),
            RunOutcome::Ended { .. } => None,
        }
    }

    /// Input, output, cache read, cache creation.
    pub(crate) fn tokens(&self) -> [u64; 4] {
        let Usage {
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_creation_tokens,
            cost_usd: _,
        } = self.usage;
        [input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens]
    }
}
