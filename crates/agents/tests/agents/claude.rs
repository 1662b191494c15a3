//! Recorded streams of Claude Code.

use domain::{
    failure::FailureClass::{self, Credentials, Lost, Permanent, Quota, Resource, Transient},
    run::{AgentEvent, RunOutcome},
};
use ports::{ExitRecord, StopReason};

use crate::run::{ENDED_AT, Read, as_told, exited, read, recorded, stopped};

const TWO_CALLS: [u64; 4] = [2400, 84, 1000, 60];
const NOTHING: [u64; 4] = [0; 4];

fn claude(name: &str, exit: &ExitRecord) -> Read {
    read("claude", &recorded(&format!("claude-{name}")), exit, "")
}

#[test]
fn recorded_streams_end_as_they_did() {
    // Name, exit code, class of the failure, tokens.
    let table: &[(&str, i32, Option<FailureClass>, [u64; 4])] = &[
        ("acceptedits", 0, None, TWO_CALLS),
        ("acceptedits-write", 0, None, TWO_CALLS),
        ("allowed", 0, None, TWO_CALLS),
        ("bypass-issandbox", 0, None, TWO_CALLS),
        ("default-denied", 0, None, TWO_CALLS),
        ("mcp", 0, None, TWO_CALLS),
        ("once529", 0, None, TWO_CALLS),
        ("partial", 0, None, TWO_CALLS),
        ("stdin-streamjson", 0, None, [3600, 126, 1500, 90]),
        // Cut or broken inside a message and taken up again without streaming: `usage` says nothing or half.
        ("midcut", 0, None, TWO_CALLS),
        ("miderr", 0, None, [9600, 90, 4000, 240]),
        ("err-400", 1, Some(Permanent), NOTHING),
        ("err-401", 137, Some(Credentials), NOTHING),
        ("err-402", 1, Some(Credentials), NOTHING),
        ("err-403", 1, Some(Credentials), NOTHING),
        ("err-429", 1, Some(Transient), NOTHING),
        ("err-500", 1, Some(Transient), NOTHING),
        ("err-529", 1, Some(Transient), NOTHING),
        ("hang", 1, Some(Transient), NOTHING),
        ("sigint", 0, Some(Transient), NOTHING),
        ("sigterm", 143, Some(Transient), NOTHING),
    ];
    for &(name, code, class, tokens) in table {
        let read = claude(name, &exited(code));
        assert_eq!((read.class(), read.tokens()), (class, tokens), "{name}: {:?}", read.outcome);
        assert_eq!(read.session().map(str::len), Some(36), "{name}");
    }
}

#[test]
fn a_good_run_tells_its_story() {
    let read = claude("bypass-issandbox", &exited(0));
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
                session: Some("6e0814b4-f2d7-445a-bce0-386ccc4148ba".to_owned())
            },
            AgentEvent::ToolCall {
                name: "Bash".to_owned(),
                input: "echo made-by-agent > made.txt".to_owned(),
                fingerprint: None,
                only_reads: false,
            },
            AgentEvent::ToolResult { ok: true, size: 31, fingerprint: None },
            AgentEvent::Text { text: "All done: made.txt written. ".to_owned() },
            AgentEvent::Finished,
        ]
    );
    assert_eq!(
        read.outcome,
        RunOutcome::Ended { summary: "All done: made.txt written.".to_owned() }
    );
    assert_eq!(read.usage.cost_usd.map(|cost| (cost * 1e6).round()), Some(14_975.0));
}

#[test]
fn a_rate_limit_that_calls_itself_success_is_none() {
    let read = claude("err-429", &exited(1));
    assert_eq!(
        read.failure().message,
        "the model provider answered 429: API Error: Request rejected (429) · rate limited"
    );
    assert!(read.failure().retry_after.is_some());
    let retries = read
        .events
        .iter()
        .filter(|event| matches!(event, AgentEvent::Retrying { status: Some(429), .. }));
    assert_eq!(retries.count(), 2);
}

#[test]
fn denied_tools_are_the_only_sign_and_are_said() {
    let RunOutcome::Ended { summary } = claude("default-denied", &exited(0)).outcome else {
        panic!("failed")
    };
    assert!(summary.ends_with("(denied 1 tool calls, the first of them to Bash)"), "{summary}");
}

#[test]
fn a_spent_window_is_waited_for_until_it_opens() {
    let opens = ENDED_AT + 600;
    let stream = format!(
        "{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s\"}}\n\
         {{\"type\":\"rate_limit_event\",\"rate_limit_info\":{{\"status\":\"rejected\",\"resetsAt\":{opens}}}}}\n\
         {{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"api_error_status\":429,\"result\":\"limit\"}}"
    );
    let read = read("claude", &stream, &exited(1), "");
    let failure = read.failure();
    assert_eq!((failure.class, failure.retry_after), (Quota, None));
    assert_eq!(failure.until.map(jiff::Timestamp::as_second), Some(opens));
}

#[test]
fn a_limit_that_is_reached_while_the_provider_refuses_is_the_providers() {
    assert_eq!(claude("err-401", &stopped(StopReason::TimeLimit)).class(), Some(Credentials));
    assert_eq!(claude("err-401", &stopped(StopReason::Silence)).class(), Some(Credentials));
    assert_eq!(claude("err-401", &stopped(StopReason::Asked)).class(), Some(Lost));
    assert_eq!(claude("sigterm", &stopped(StopReason::TimeLimit)).class(), Some(Resource));
}

#[test]
fn success_with_a_wrong_exit_code_is_no_success() {
    assert_eq!(claude("bypass-issandbox", &exited(3)).class(), Some(Permanent));
}

#[test]
fn a_program_that_never_began_says_why_on_standard_error() {
    let complaint = "--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n";
    let read = read("claude", "", &exited(1), complaint);
    assert_eq!(read.class(), Some(Permanent));
    assert!(read.failure().message.contains("root/sudo"), "{}", read.failure().message);
}

#[test]
fn a_tool_server_that_is_refused_stops_no_kind_of_agent() {
    for (complaint, class) in [
        ("mcp: search: 401 Unauthorized\n", Permanent),
        ("mcp: search: usage limit reached\n", Permanent),
        ("Invalid API key · Please run /login\n", Credentials),
    ] {
        assert_eq!(read("claude", "", &exited(1), complaint).class(), Some(class), "{complaint}");
    }
}

/// What a run has used does not become nothing by one count that cannot be.
#[test]
fn a_count_that_cannot_be_leaves_the_one_before() {
    let message = |id: u32, input: u64| {
        format!(
            r#"{{"type":"assistant","message":{{"id":"m{id}","content":[],"usage":{{"input_tokens":{input}}}}}}}"#
        )
    };
    let result = format!(
        r#"{{"type":"result","subtype":"success","result":"done","total_cost_usd":0.5,"usage":{{"input_tokens":{}}}}}"#,
        u64::MAX
    );
    let stream = [message(1, 1_000), message(2, u64::MAX), message(3, 500)].join("\n");
    let cut = read("claude", &stream, &stopped(StopReason::TimeLimit), "");
    assert_eq!(cut.tokens(), [1_500, 0, 0, 0]);
    let whole = read("claude", &format!("{stream}\n{result}"), &exited(0), "");
    assert_eq!((whole.tokens(), whole.usage.cost_usd), ([1_500, 0, 0, 0], Some(0.5)));
    for cost in ["1e300", "-1"] {
        let result = result.replace("0.5", cost);
        let odd = read("claude", &format!("{stream}\n{result}"), &exited(0), "");
        assert_eq!(odd.usage.cost_usd, None, "{cost}");
    }
}

#[test]
fn turns_that_are_used_up_name_the_setting() {
    let stream = r#"{"type":"result","subtype":"error_max_turns","is_error":true,"errors":["Reached maximum number of turns (1)"]}"#;
    let read = read("claude", stream, &exited(1), "");
    assert_eq!(read.class(), Some(Resource));
    assert_eq!(
        read.failure().message,
        "used up its turns (Reached maximum number of turns (1)); raise `max_turns` of the agent"
    );
}

#[test]
fn a_run_that_is_killed_has_still_used_what_its_messages_say() {
    let stream = recorded("claude-bypass-issandbox");
    let without_result: Vec<_> =
        stream.lines().filter(|line| !line.contains("\"type\":\"result\"")).collect();
    let read = read("claude", &without_result.join("\n"), &stopped(StopReason::TimeLimit), "");
    assert_eq!((read.class(), read.tokens()), (Some(Resource), [2400, 2, 1000, 60]));
}

#[test]
fn a_result_behind_the_end_of_the_log_is_not_held_against_a_run() {
    let mut cut = exited(0);
    cut.log_cut = true;
    assert_eq!(claude("sigint", &cut).class(), None);
}
