//! Recorded streams of Codex.

use std::time::Duration;

use domain::{
    failure::FailureClass::{self, Credentials, Permanent, Quota, Resource, Transient},
    run::{AgentEvent, RunOutcome},
};
use ports::{ExitRecord, StopReason};

use crate::run::{ENDED_AT, Read, as_told, exited, read, recorded, stopped};

const TWO_CALLS: [u64; 4] = [1400, 84, 1000, 0];
const NOTHING: [u64; 4] = [0; 4];

fn codex(name: &str, exit: &ExitRecord) -> Read {
    read(
        "codex",
        &recorded(&format!("codex-{name}")),
        exit,
        "Reading additional input from stdin...\n",
    )
}

#[test]
fn recorded_streams_end_as_they_did() {
    // Name, exit code, class of the failure, tokens.
    let table: &[(&str, i32, Option<FailureClass>, [u64; 4])] = &[
        ("gpt55", 0, None, TWO_CALLS),
        ("patch", 0, None, TWO_CALLS),
        ("err-once529", 0, None, TWO_CALLS),
        // The whole conversation's.
        ("resume", 0, None, [2800, 168, 2000, 0]),
        ("err-400", 1, Some(Permanent), NOTHING),
        ("err-ctx", 1, Some(Permanent), NOTHING),
        ("err-401", 1, Some(Credentials), NOTHING),
        ("err-402", 1, Some(Credentials), NOTHING),
        ("err-403", 1, Some(Credentials), NOTHING),
        ("err-quota", 1, Some(Credentials), NOTHING),
        ("err-429", 1, Some(Transient), NOTHING),
        ("err-500", 1, Some(Transient), NOTHING),
        ("err-529", 1, Some(Transient), NOTHING),
        ("err-midcut", 1, Some(Transient), NOTHING),
        ("err-miderr", 1, Some(Transient), NOTHING),
        ("err-hang", 137, Some(Transient), NOTHING),
    ];
    for &(name, code, class, tokens) in table {
        let read = codex(name, &exited(code));
        assert_eq!((read.class(), read.tokens()), (class, tokens), "{name}: {:?}", read.outcome);
        assert_eq!(read.session().map(str::len), Some(36), "{name}");
    }
}

#[test]
fn a_good_run_tells_its_story() {
    let read = codex("patch", &exited(0));
    let shown: Vec<_> = read
        .events
        .iter()
        .filter(|event| !matches!(event, AgentEvent::Usage { .. }))
        .cloned()
        .collect();
    assert_eq!(
        as_told(&shown),
        [
            AgentEvent::Started {
                session: Some("01a1faaf-ee0f-7e51-89af-96cb2533925e".to_owned())
            },
            AgentEvent::ToolCall {
                name: "apply_patch".to_owned(),
                input: "add /home/agent".to_owned(),
                fingerprint: None,
                only_reads: false,
            },
            AgentEvent::ToolResult { ok: true, size: 0, fingerprint: None },
            AgentEvent::Text { text: "All done: made.txt written.".to_owned() },
            AgentEvent::Finished,
        ]
    );
    assert_eq!(
        read.outcome,
        RunOutcome::Ended { summary: "All done: made.txt written.".to_owned() }
    );
}

#[test]
fn reconnecting_is_a_retry_and_not_an_error() {
    let read = codex("err-529", &exited(1));
    let retries: Vec<_> = read
        .events
        .iter()
        .filter_map(|event| {
            if let AgentEvent::Retrying { status, attempt, .. } = event {
                Some((*status, *attempt))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(retries, [(Some(529), 1), (Some(529), 2)]);
}

#[test]
fn the_wait_that_the_provider_asks_for_is_kept() {
    assert_eq!(codex("err-miderr", &exited(1)).failure().retry_after, Some(Duration::from_secs(1)));
}

#[test]
fn a_spent_window_is_a_quota_and_says_when_it_opens() {
    let message = "You've hit your usage limit. Upgrade to Pro, or try again in 2h30m.";
    let stream = format!(r#"{{"type":"turn.failed","error":{{"message":"{message}"}}}}"#);
    let read = read("codex", &stream, &exited(1), "");
    assert_eq!(read.events[0], AgentEvent::RateLimited { until: None });
    assert_eq!(
        (read.class(), read.failure().until),
        (Some(Quota), Some(jiff::Timestamp::from_second(ENDED_AT + 9_000).unwrap()))
    );
}

#[test]
fn an_error_in_json_is_read_by_its_code() {
    let read = codex("err-400", &exited(1));
    assert_eq!(
        read.failure().message,
        "the turn failed: prompt is too long: 250000 tokens > 200000 maximum"
    );
}

#[test]
fn a_provider_that_never_answers_ends_by_a_limit() {
    assert_eq!(codex("err-hang", &stopped(StopReason::Silence)).class(), Some(Resource));
    assert_eq!(codex("err-529", &stopped(StopReason::TimeLimit)).class(), Some(Transient));
}

#[test]
fn a_tool_server_that_is_refused_stops_no_kind_of_agent() {
    for complaint in ["mcp: search: 401 Unauthorized", "mcp: search: usage limit reached"] {
        let read = read("codex", "", &exited(1), complaint);
        assert_eq!(read.class(), Some(Permanent), "{complaint}");
    }
}

#[test]
fn a_conversation_that_is_gone_is_named() {
    let complaint = "Error: thread/resume: thread/resume failed: no rollout found for thread id 01a1 (code -32600)";
    let read = read("codex", "", &exited(1), complaint);
    assert_eq!(read.class(), Some(Permanent));
    assert!(read.failure().message.contains("no rollout found"));
}
