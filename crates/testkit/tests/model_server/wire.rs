//! What goes over the wire, where the real CLIs do not show it.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::model_server::{Answer, ModelServer, Script, Turn};

use crate::http::{post, receive, send};

/// What ends a body that was sent to its end.
const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

fn message(stream: bool) -> Value {
    let messages = [json!({ "role": "user", "content": "hello" })];
    json!({ "model": "any", "stream": stream, "tools": [{ "name": "Bash" }], "messages": messages })
}

fn response(stream: bool) -> Value {
    let tools = [json!({ "type": "local_shell" })];
    json!({ "model": "any", "stream": stream, "tools": tools, "input": "hello" })
}

fn types(events: &str) -> Vec<&str> {
    events.lines().filter_map(|line| line.strip_prefix("event: ")).collect()
}

#[test]
fn a_message_is_streamed_in_the_order_of_its_protocol() {
    let server = ModelServer::start(Script::new([Turn::shell("true")]));
    let events = post(&server.base_url(), "/v1/messages?beta=true", &message(true));
    assert_eq!(
        types(&events),
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert!(events.ends_with(LAST_CHUNK), "{events}");
}

#[test]
fn a_response_is_streamed_in_the_order_of_its_protocol() {
    let server = ModelServer::start(Script::new([Turn::say("Done.")]));
    let events = post(&server.base_url(), "/v1/responses", &response(true));
    assert_eq!(
        types(&events),
        [
            "response.created",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed"
        ]
    );
    assert!(events.ends_with(LAST_CHUNK), "{events}");
}

#[test]
fn whoever_does_not_want_a_stream_gets_a_document() {
    let server = ModelServer::start(Script::new([Turn::shell("make")]));
    for (path, body, call) in [
        ("/v1/messages", message(false), r#""stop_reason":"tool_use""#),
        ("/v1/responses", response(false), r#""type":"local_shell_call""#),
    ] {
        let text = post(&server.base_url(), path, &body);
        let (head, document) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("application/json"), "{head}");
        assert!(document.contains(call) && document.contains("make"), "{document}");
        serde_json::from_str::<Value>(document).unwrap();
    }
}

#[test]
fn a_cut_answer_begins_and_does_not_end() {
    let server = ModelServer::start(Script::new([Turn::CutStream]));
    for (path, body, beginning) in [
        ("/v1/messages", message(true), "event: content_block_delta"),
        ("/v1/messages", message(false), "\r\n{"),
        ("/v1/responses", response(true), "event: response.output_text.delta"),
        ("/v1/responses", response(false), "\r\n{"),
    ] {
        let text = post(&server.base_url(), path, &body);
        assert!(text.starts_with("HTTP/1.1 200") && text.contains(beginning), "{path}: {text}");
        assert!(!text.ends_with(LAST_CHUNK) && !text.contains("message_stop"), "{path}: {text}");
    }
}

#[test]
fn a_request_that_hangs_is_known_and_gets_nothing_until_the_server_ends() {
    let server = ModelServer::start(Script::new([Turn::Hang]));
    let stream = send(&server.base_url(), "POST", "/v1/messages", &message(true).to_string());
    assert_eq!(server.wait_for_turns(1, Duration::from_mins(1)), [Turn::Hang]);
    drop(server);
    assert_eq!(receive(stream), "");
}

#[test]
fn an_error_has_the_status_the_header_and_the_body_of_the_script() {
    let own = Turn::Fail {
        status: 429,
        retry_after_seconds: Some(7),
        body: Some("{\"mine\":1}".to_owned()),
    };
    let server = ModelServer::start(Script::new([own, Turn::fail(529)]));
    let text = post(&server.base_url(), "/v1/messages", &message(true));
    assert!(text.starts_with("HTTP/1.1 429") && text.contains("retry-after: 7\r\n"), "{text}");
    assert!(text.ends_with("{\"mine\":1}"), "{text}");
    let text = post(&server.base_url(), "/v1/messages", &message(true));
    assert!(text.starts_with("HTTP/1.1 529") && text.contains("overloaded_error"), "{text}");
    assert!(!text.contains("retry-after"), "{text}");
}

#[test]
fn side_requests_take_no_turn() {
    let server = ModelServer::start(Script::new([Turn::fail(500), Turn::say("Done.")]));
    let url = server.base_url();
    let mut title = message(true);
    title["tools"] = json!([]);
    let ok = |text: String| assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    ok(receive(send(&url, "HEAD", "/", "")));
    ok(receive(send(&url, "GET", "/v1/models", "")));
    ok(post(&url, "/v1/messages/count_tokens?beta=true", &message(false)));
    ok(post(&url, "/v1/messages", &title));
    assert!(post(&url, "/v1/messages", &message(true)).starts_with("HTTP/1.1 500"));
    assert_eq!(server.turns(), [Turn::fail(500)]);
}

#[test]
fn every_request_is_recorded_with_what_it_got() {
    let server = ModelServer::start(Script::default());
    let text = post(&server.base_url(), "/v1/unheard-of?a=b", &json!({ "key": "value" }));
    assert!(text.starts_with("HTTP/1.1 404"), "{text}");
    assert!(post(&server.base_url(), "/v1/messages", &json!({})).starts_with("HTTP/1.1 404"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/unheard-of"));
    assert_eq!(
        (request.query.as_deref(), request.credential.as_deref()),
        (Some("a=b"), Some("fake"))
    );
    assert_eq!((request.body_bytes, &request.body), (15, &Some(json!({ "key": "value" }))));
    assert!(requests.iter().all(|it| it.answer == Answer::Refused));
}
