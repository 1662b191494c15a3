//! Writes responses, errors and the list of models.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{Tools, stream};
use crate::model_server::{CallUsage, conversation::Conversation, reply, speech::Speech};

/// The model's answer.
pub(in crate::model_server) fn respond(
    conversation: &Conversation,
    tools: &Tools,
    speech: Speech,
    usage: CallUsage,
) -> Response {
    let position = conversation.turns_taken;
    let (speech, shell) = speech.with_tool(tools.shell);
    let is_cut = speech == Speech::BreakOff;
    let item = match (&speech, shell) {
        (Speech::Run(command), Some(shell)) => shell.call(command, &format!("call_{position:04}")),
        (Speech::Run(text) | Speech::Say(text), _) => message(position, text),
        (Speech::BreakOff, _) => message(position, "I will look into "),
    };
    let response = |status: &str, output: &[&Value], usage: Value| {
        json!({
            "id": format!("resp_{position:04}"),
            "object": "response",
            "created_at": 0,
            "status": status,
            "model": conversation.model,
            "output": output,
            "usage": usage,
        })
    };
    let completed = response("completed", &[&item], usage_of(usage));

    if !conversation.streamed {
        return if is_cut {
            reply::cut_json(&completed)
        } else {
            reply::json(StatusCode::OK, &completed)
        };
    }
    let mut events = stream::beginning(&response("in_progress", &[], Value::Null), &item);
    if is_cut {
        return reply::cut_events(stream::numbered(events));
    }
    events.extend(stream::end(&completed, &item));
    reply::events(stream::numbered(events))
}

fn message(position: usize, text: &str) -> Value {
    json!({
        "type": "message",
        "id": format!("msg_{position:04}"),
        "role": "assistant",
        "status": "completed",
        "content": [{ "type": "output_text", "text": text, "annotations": [] }],
    })
}

/// In this protocol the cached tokens are part of the input.
fn usage_of(usage: CallUsage) -> Value {
    let CallUsage { input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens: _ } =
        usage;
    let input_tokens = input_tokens + cache_read_tokens;
    json!({
        "input_tokens": input_tokens,
        "input_tokens_details": { "cached_tokens": cache_read_tokens },
        "output_tokens": output_tokens,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": input_tokens + output_tokens,
    })
}

/// The body of an error.
pub(in crate::model_server) fn error(status: u16) -> Value {
    let (kind, code, message) = match status {
        401 => ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        403 => (
            "invalid_request_error",
            "unsupported_country_region_territory",
            "You may not use this model.",
        ),
        429 => ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
        503 | 529 => (
            "server_error",
            "server_is_overloaded",
            "The server is overloaded. Please try again later.",
        ),
        500.. => (
            "server_error",
            "server_error",
            "The server had an error while processing your request.",
        ),
        _ => ("invalid_request_error", "invalid_request", "The request is not valid."),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// The list of models. Nobody has to choose from it: every name is served.
pub(in crate::model_server) fn models() -> Value {
    json!({ "object": "list", "data": [{ "id": "scripted", "object": "model", "created": 0, "owned_by": "testkit" }] })
}
