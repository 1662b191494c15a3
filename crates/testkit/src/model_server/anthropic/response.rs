//! Writes messages, streams of them, and errors.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::Tools;
use crate::model_server::{CallUsage, conversation::Conversation, reply, speech::Speech};

/// The model's answer.
pub(in crate::model_server) fn respond(
    conversation: &Conversation,
    tools: &Tools,
    speech: Speech,
    usage: CallUsage,
) -> Response {
    let position = conversation.turns_taken;
    let (speech, shell) = speech.with_tool(tools.shell.as_deref());
    let (stop_reason, block) = match &speech {
        Speech::Run(command) => {
            let input = json!({ "command": command, "description": "Run the next command" });
            (
                "tool_use",
                json!({ "type": "tool_use", "id": format!("toolu_{position:04}"), "name": shell, "input": input }),
            )
        }
        Speech::Say(text) => ("end_turn", json!({ "type": "text", "text": text })),
        Speech::BreakOff => ("end_turn", json!({ "type": "text", "text": "I will look into " })),
    };
    let message = |content: &[&Value], stop_reason: Value, output_tokens: u64| {
        json!({
            "id": format!("msg_{position:04}"),
            "type": "message",
            "role": "assistant",
            "model": conversation.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": {
                "input_tokens": usage.input_tokens,
                "cache_creation_input_tokens": usage.cache_creation_tokens,
                "cache_read_input_tokens": usage.cache_read_tokens,
                "output_tokens": output_tokens,
            },
        })
    };

    let is_cut = speech == Speech::BreakOff;
    if !conversation.streamed {
        let message = message(&[&block], json!(stop_reason), usage.output_tokens);
        return if is_cut {
            reply::cut_json(&message)
        } else {
            reply::json(StatusCode::OK, &message)
        };
    }
    let (started, delta) = split(&block);
    let mut events = vec![
        json!({ "type": "message_start", "message": message(&[], Value::Null, 1) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": started }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
    ];
    if is_cut {
        return reply::cut_events(events);
    }
    let delta = json!({ "stop_reason": stop_reason, "stop_sequence": null });
    events.extend([
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": usage.output_tokens } }),
        json!({ "type": "message_stop" }),
    ]);
    reply::events(events)
}

/// A block as it is announced, and what is then added to it.
fn split(block: &Value) -> (Value, Value) {
    let mut started = block.clone();
    if block["type"] == "tool_use" {
        started["input"] = json!({});
        (started, json!({ "type": "input_json_delta", "partial_json": block["input"].to_string() }))
    } else {
        started["text"] = json!("");
        (started, json!({ "type": "text_delta", "text": block["text"] }))
    }
}

/// The body of an error.
pub(in crate::model_server) fn error(status: u16) -> Value {
    let (kind, message) = match status {
        401 => ("authentication_error", "invalid x-api-key"),
        402 => ("billing_error", "Your credit balance is too low to access the Anthropic API."),
        403 => (
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        404 => ("not_found_error", "Not found"),
        413 => ("request_too_large", "Request exceeds the maximum size"),
        429 => (
            "rate_limit_error",
            "This request would exceed your account's rate limit. Please try again later.",
        ),
        529 => ("overloaded_error", "Overloaded"),
        500.. => ("api_error", "Internal server error"),
        _ => ("invalid_request_error", "The request is not valid."),
    };
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}
