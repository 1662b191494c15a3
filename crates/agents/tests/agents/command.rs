//! Programs that speak text, events or both.

use std::time::Duration;

use domain::{
    failure::FailureClass::{Credentials, Permanent, Quota, Resource, Transient},
    run::{AgentEvent, RunOutcome},
    usage::Usage,
};
use ports::StopReason;

use crate::run::{ENDED_AT, as_told, exited, read, stopped};

fn line(event: &AgentEvent) -> String {
    serde_json::to_string(event).expect("JSON")
}

#[test]
fn plain_words_and_exit_code_0_are_a_good_end() {
    let read = read("command", "working\n\ndone \u{1b}[32mwell\n", &exited(0), "");
    assert_eq!(read.events.len(), 2);
    assert_eq!(read.outcome, RunOutcome::Ended { summary: "done \\u{1b}[32mwell".to_owned() });
}

#[test]
fn another_exit_code_comes_with_the_last_words() {
    let by_stderr = read("command", "trying\n", &exited(1), "warning: a\nerror: no such file\n\n");
    assert_eq!(by_stderr.failure().message, "exited with code 1: error: no such file");
    assert_eq!(by_stderr.class(), Some(Permanent));
    assert_eq!(
        read("command", "trying\n", &exited(2), "").failure().message,
        "exited with code 2: trying"
    );
    assert_eq!(
        read("command", "", &exited(2), "").failure().message,
        "exited with code 2 without a word"
    );
}

#[test]
fn every_event_comes_back_as_it_was_said() {
    let total = Usage {
        input_tokens: 1,
        output_tokens: 2,
        cache_read_tokens: 3,
        cache_creation_tokens: 4,
        cost_usd: Some(0.5),
    };
    let events = [
        AgentEvent::Started { session: Some("s-1".to_owned()) },
        AgentEvent::Thinking,
        AgentEvent::ToolCall {
            name: "shell".to_owned(),
            input: "ls".to_owned(),
            fingerprint: None,
            only_reads: false,
        },
        AgentEvent::ToolResult { ok: false, size: 7, fingerprint: None },
        AgentEvent::Usage { total },
        AgentEvent::Retrying { status: Some(529), after: Some(Duration::from_secs(2)), attempt: 1 },
        AgentEvent::RateLimited { until: None },
        AgentEvent::Error { message: "hm".to_owned() },
        AgentEvent::Text { text: "on".to_owned() },
        AgentEvent::Finished,
    ];
    let stream: Vec<_> = events.iter().map(line).collect();
    let read = read("command", &stream.join("\n"), &exited(0), "");
    assert_eq!(as_told(&read.events), events);
    assert_eq!((read.usage, read.class()), (total, None));
}

#[test]
fn a_refusal_that_no_work_follows_is_the_providers_whatever_the_exit_code() {
    let until = jiff::Timestamp::from_second(ENDED_AT + 60).unwrap();
    let stream = format!(
        "{}\n{}",
        line(&AgentEvent::RateLimited { until: Some(until) }),
        line(&AgentEvent::Finished)
    );
    let limited = read("command", &stream, &exited(0), "");
    assert_eq!(
        (limited.class(), limited.failure().until, limited.failure().retry_after),
        (Some(Quota), Some(until), None)
    );

    let retrying = line(&AgentEvent::Retrying {
        status: Some(429),
        after: Some(Duration::from_secs(30)),
        attempt: 1,
    });
    assert_eq!(
        read("command", &retrying, &exited(1), "").failure().retry_after,
        Some(Duration::from_secs(30))
    );
    assert_eq!(
        read("command", &retrying, &stopped(StopReason::TimeLimit), "").class(),
        Some(Transient)
    );
}

/// Where nothing but the last words of standard error tells what happened.
#[test]
fn complaints_are_the_last_resort() {
    for (complaint, class, wait) in [
        ("HTTP 429: too many requests; retry-after: 42", Transient, Some(Duration::from_secs(42))),
        ("write failed: No space left on device (os error 28)", Resource, None),
        ("assertion failed", Permanent, None),
    ] {
        let read = read("command", "it is overloaded, I said", &exited(1), complaint);
        assert_eq!((read.class(), read.failure().retry_after), (Some(class), wait), "{complaint}");
    }
}

/// A test that the agent ran prints such words as well: they must not stop every agent of the kind.
#[test]
fn prose_about_keys_and_quotas_is_a_failure_of_its_own_and_an_event_is_evidence() {
    for words in ["401 unauthorized", "invalid api key", "usage limit reached, resets 3am"] {
        for (stream, stderr) in [
            (String::new(), words),
            (line(&AgentEvent::Error { message: words.to_owned() }), ""),
            (words.to_owned(), ""),
        ] {
            assert_eq!(
                read("command", &stream, &exited(1), stderr).class(),
                Some(Permanent),
                "{words}"
            );
        }
    }
    let refused = AgentEvent::Retrying { status: Some(401), after: None, attempt: 1 };
    assert_eq!(read("command", &line(&refused), &exited(1), "").class(), Some(Credentials));
}

#[test]
fn started_without_finished_is_a_cut() {
    let started = line(&AgentEvent::Started { session: None });
    assert_eq!(
        read("command", &format!("{started}\n{{\"type\":\"tex"), &exited(0), "").class(),
        Some(Transient)
    );
    assert_eq!(
        read("command", &started, &stopped(StopReason::Silence), "").class(),
        Some(Resource)
    );
}

#[test]
fn a_session_that_would_be_an_option_is_dropped() {
    let stream = r#"{"type":"started","session":"--dangerously-skip-everything"}"#;
    assert_eq!(read("command", stream, &exited(0), "").session(), None);
}
