//! Reads a request for a response.

use serde_json::Value;

use super::Tools;
use crate::model_server::conversation::Conversation;

/// `None` where it is no such request.
pub(in crate::model_server) fn read(body: &Value) -> Option<(Conversation, Tools)> {
    let items = match &body["input"] {
        Value::Array(items) => items.clone(),
        Value::String(text) => vec![serde_json::json!({ "role": "user", "content": text })],
        _ => return None,
    };
    let opening = items
        .iter()
        .take_while(|it| !is_from_model(it))
        .filter(|it| it["role"] == "user")
        .map(text);
    // Some models get their tools as an item of the conversation.
    let groups = items.iter().filter(|it| it["type"] == "additional_tools").chain([body]);
    let tools: Vec<Value> =
        groups.filter_map(|it| it["tools"].as_array()).flatten().cloned().collect();
    let conversation = Conversation {
        opening: opening.collect::<Vec<_>>().join("\n"),
        turns_taken: items.iter().filter(|it| is_from_model(it)).count(),
        offers_tools: !tools.is_empty(),
        streamed: body["stream"] == true,
        model: body["model"].as_str()?.to_owned(),
    };
    Some((conversation, Tools::new(&tools)))
}

/// What the model said or called. Its reasoning and the results of its calls are no turns.
fn is_from_model(item: &Value) -> bool {
    let is_call = matches!(
        item["type"].as_str(),
        Some("function_call" | "custom_tool_call" | "local_shell_call")
    );
    is_call || item["role"] == "assistant"
}

/// The content is a text, or a list of parts some of which are text.
fn text(item: &Value) -> String {
    match &item["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|it| it["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_is_read_from_its_items() {
        let body = json!({
            "model": "some-model",
            "stream": true,
            "tools": [{ "type": "function", "name": "exec_command" }],
            "input": [
                { "type": "message", "role": "developer", "content": [{ "type": "input_text", "text": "rules" }] },
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "the place" }] },
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "the brief" }] },
                { "type": "reasoning", "summary": [] },
                { "type": "function_call", "call_id": "1", "name": "exec_command", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "1", "output": "out" },
                { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "done" }] },
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "go on" }] },
            ],
        });
        let (conversation, _) = read(&body).unwrap();
        assert_eq!(conversation.opening, "the place\nthe brief");
        assert_eq!(conversation.turns_taken, 2);
        assert!(conversation.offers_tools && conversation.streamed);
    }

    #[test]
    fn anything_else_is_not_taken_for_a_conversation() {
        assert!(read(&json!({ "model": "some-model" })).is_none());
        assert!(read(&json!([])).is_none());
    }
}
